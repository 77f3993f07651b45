"""Object types, one noun a file."""
