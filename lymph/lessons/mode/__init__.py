"""Training mode, said once before the loop."""
