"""What of this library's surroundings works, and what to do about what does not."""
