"""Where the sets of a sweep run: threads, processes, machines."""
