"""How sure a model is, how often it is right, and what few patients can tell of it."""
