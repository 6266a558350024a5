"""What outlives the process: target facts and decisions on disk or on a server, checked whenever they are read."""
