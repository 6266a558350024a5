"""Whether a decision still fits the batches that come."""
