"""Steps from an empty database to the newest, written by tortoise and named by hand.

Their order is their `dependencies`; a number is part of a name, and names that databases remember are never changed.
"""
