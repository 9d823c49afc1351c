"""Sweeps of other engines beside ours: `python -m benchmarks.peers`, or `make bench-peers`.

Each peer is installed in an environment of its own here, and called as a person calls it. In its process the same hand-written loop is
timed, so that ratios compare across processes. Of a peer these files know names to call, no more.
"""
