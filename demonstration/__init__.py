"""A client that plays the whole path of a person against a running server, and the images it hands in."""
