"""Chooses the loss for a PyTorch training run by rules people can read, and proves why."""

__version__ = "0.1.0"
