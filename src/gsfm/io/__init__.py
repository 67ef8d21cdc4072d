"""Files: written atomically, compressed or not, on the disk or downloaded."""
