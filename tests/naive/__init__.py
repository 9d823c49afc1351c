"""The slow, obvious twin of the engine: plain Python in exact arithmetic, written from SEMANTICS.md and not from the kernels."""
