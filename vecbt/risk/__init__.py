"""What may be held: sizes, protective exits, drawdown zones."""
