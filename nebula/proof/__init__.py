"""What holds of a policy on every profile, not only on those that were tried."""
