"""Models: loaded from an archive in any format, compiled, and called in the form that settings ask for."""
