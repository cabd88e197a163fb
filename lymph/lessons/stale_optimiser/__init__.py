"""An optimiser that was made for an earlier model."""
