"""The GraphQL face: names and shapes, no decisions."""
