"""Inference: which rules fire, by durable-rules or by its native twin."""
