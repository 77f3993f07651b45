"""Compiled reading: a validated query as one SQL statement. See docs/compiled-reads.md."""
