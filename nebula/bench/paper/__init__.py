"""The experiment of the paper that nebula starts from, as it is described there, and the same done right."""
