"""The audit log: every decision kept, chained by hashes, and asked again later."""
