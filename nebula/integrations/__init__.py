"""nebula inside the training loops and loggers that people have; each module is imported only where it is used."""
