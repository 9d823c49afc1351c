"""What a kernel is: the decorators, records of state, parameters of strategies."""
