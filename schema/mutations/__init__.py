"""Mutations, one noun a file: each translates one verb and nothing else."""
