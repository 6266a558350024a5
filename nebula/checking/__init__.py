"""What is silently wrong with the loss that is already in use: batches are measured, scripts are read."""
