"""The embedded engine: one process that speaks HTTP, and one or more for each archive."""
