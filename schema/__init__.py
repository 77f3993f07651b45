"""The GraphQL face: names and shapes, no decisions."""

from schema import enums as enums  # registered before any type of the schema can name them
