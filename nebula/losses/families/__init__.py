"""What can be chosen: parameters, contracts and documentation of every loss, one file a family; no torch."""
