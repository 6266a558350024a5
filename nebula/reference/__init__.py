"""The generated pages: facts, losses and codes, derived from what the code itself reads."""
