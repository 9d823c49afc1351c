"""Objects under names that people know from elsewhere. They turn their arguments into those of `backtest` and `Stream`, nothing more."""
