"""One module for each file format, and what the formats share."""
