"""The parts of the Split page."""
