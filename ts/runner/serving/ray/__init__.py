"""Archives on Ray Serve: an application each, and one front a node that speaks HTTP."""
