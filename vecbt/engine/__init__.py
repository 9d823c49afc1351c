"""The simulation: the bar, its state, and the drivers that call it."""
