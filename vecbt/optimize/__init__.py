"""Search for parameters: what is varied, what is wanted of it, and the drivers that look for it, each over the same sweep."""
