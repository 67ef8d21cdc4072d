"""Files: whole or not at all, compressed or not, from the disk or from where they are published."""
