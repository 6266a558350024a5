"""Policies as formulas, and the solver that is asked about them."""
