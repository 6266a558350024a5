"""A decision as one HTML file that needs nothing else."""
