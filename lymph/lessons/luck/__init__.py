"""One model over and over: other seeds, other test patients."""
