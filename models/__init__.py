"""What is kept: one noun a file, rows and the facts that can be read off one row."""
