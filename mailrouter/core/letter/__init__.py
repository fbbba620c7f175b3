"""Text of a document → Letter. `read_letter` is the one entry."""
