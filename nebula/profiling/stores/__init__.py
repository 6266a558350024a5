"""Files that lie in an object store instead of a folder."""
