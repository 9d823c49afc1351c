"""Random scenarios: the engine against the reference engine of `naive`."""
