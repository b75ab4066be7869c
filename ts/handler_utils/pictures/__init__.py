"""Pictures that answers are drawn as."""
