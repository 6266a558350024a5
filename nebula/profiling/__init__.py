"""Data → `DataProfile`: the facts that rules decide on."""
