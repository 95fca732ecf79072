"""Measurements: this stack beside other ways, by size, and of the credentials it gives. `make bench` and its kin."""
