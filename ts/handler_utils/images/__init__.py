"""Images: read, decoded, scaled and normalised into what a model takes."""
