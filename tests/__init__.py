"""Tests of vecbt; `tests/naive` holds the slow, obvious twins they compare with."""
