"""Many files: how fast one process answers them, and how fast workers on Ray do."""
