"""A split by picture, and one by patient."""
