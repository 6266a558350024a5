"""How much of the data a decision needs to see, and the same decision on every process."""
