"""A policy's named thresholds, fitted to a table of results; held-out data sets say whether it is worth it."""
