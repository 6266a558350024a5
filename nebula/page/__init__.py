"""HTML pages that need nothing else: what they are put together from, and the page of a profile."""
