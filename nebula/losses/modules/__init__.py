"""The arithmetic of the losses, as small torch modules, one file a family."""
