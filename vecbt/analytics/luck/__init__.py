"""Tests that run a strategy again: on shuffled bars, with entries drawn at random, with trades in another order."""
