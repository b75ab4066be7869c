"""The bytes: the files are read once, written in one of the formats, and read back."""
