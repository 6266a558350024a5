"""The stable codes of a policy's problems, one page each."""
