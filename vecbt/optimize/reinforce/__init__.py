"""Learning from rewards: a policy that chooses among strategies by the state of the market, and environments for other agents."""
