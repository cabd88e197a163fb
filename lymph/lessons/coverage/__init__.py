"""How often an interval holds the truth when pictures or patients are counted."""
