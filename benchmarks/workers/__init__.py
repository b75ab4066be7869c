"""The processes that are timed: what they are told, what they do, and how a benchmark talks to them."""
