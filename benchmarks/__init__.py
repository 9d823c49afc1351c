"""How fast vecbt is, against hand-written loops that do the same work: `python -m benchmarks`.

Parity is checked before anything is timed. Ratios are taken within one run, turn and turn about; the machine is named.
"""
