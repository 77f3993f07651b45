"""Steps from an empty database to the newest, written by tortoise and named by hand."""
