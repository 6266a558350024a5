"""The losses: what each is defined for, and how one is built from its spec."""
