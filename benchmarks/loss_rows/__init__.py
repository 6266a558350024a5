"""Rows of the benchmark of losses: inputs, and what others compute them by."""
