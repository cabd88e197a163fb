"""A list that is called patients and holds pictures."""
