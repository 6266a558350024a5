"""YAML → a checked policy → which rules hold on a profile. Never imports torch."""
