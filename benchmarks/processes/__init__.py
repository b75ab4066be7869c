"""Processes: what they use, where they run, and what is installed for them."""
