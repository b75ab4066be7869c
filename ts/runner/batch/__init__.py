"""Millions of files: a job that answers them by many workers into one table, and goes on where it was ended."""
