"""The clauses that a call of a loss must keep, a small module per family."""
