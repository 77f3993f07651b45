"""Queries by noun: what can be read, each under the viewer's own rights."""
