"""Verbs: lock, ask the rules, write, record, promise; each in one transaction."""
