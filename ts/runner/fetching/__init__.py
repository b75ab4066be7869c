"""Archives from anywhere: paths, and URLs whose files are fetched once and kept in a cache."""
