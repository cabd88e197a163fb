"""A frozen backbone that moves, and which phase comes first."""
