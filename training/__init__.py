"""Real training runs: stored in HDF5, imported from CSV, and trained."""
