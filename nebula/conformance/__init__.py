"""What every loss must keep to, as checks that run on any registered entry: nebula's own and plugins'."""
