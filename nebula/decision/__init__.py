"""Profile × policy → decision, with its trace."""
