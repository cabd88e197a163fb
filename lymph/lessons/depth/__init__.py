"""Fifteen layers, and what lets their gradients arrive."""
