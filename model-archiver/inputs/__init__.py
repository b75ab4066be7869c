"""What the options stand for: every file, its place in the archive, and the plan of them all."""
