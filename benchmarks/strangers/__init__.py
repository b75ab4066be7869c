"""What strangers send, and what it costs to answer them."""
