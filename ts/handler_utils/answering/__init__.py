"""The way of a batch through the hooks of a handler: what runs when, and what becomes of a row that fails."""
