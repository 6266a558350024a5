"""Sources larger than memory → the same facts as of a tensor, chunk by chunk."""
