"""Who visits, what they may change, and the door of a class."""
