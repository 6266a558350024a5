"""What a training script shows about its losses: it is parsed, never run."""
