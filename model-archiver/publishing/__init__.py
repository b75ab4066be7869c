"""A temporary file or folder beside the archive's place, and the step by which it takes that place."""
