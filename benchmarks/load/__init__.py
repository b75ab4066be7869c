"""The load generator: a process of its own, whose clients cost little."""
