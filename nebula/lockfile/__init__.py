"""Decisions pinned in a file beside the code, so that a change of data or policy that alters one is noticed."""
