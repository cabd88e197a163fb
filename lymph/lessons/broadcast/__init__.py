"""Class numbers that are compared with one-hot labels."""
