"""What is claimed about speed, measured side by side: ``make bench``."""
