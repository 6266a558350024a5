"""Conditions: parse, type-check against the vocabulary, evaluate in three-valued logic."""
