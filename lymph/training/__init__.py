"""Configuration, data, loop, phases and the worker process that trains a run."""
