"""What the mean colour of a picture tells."""
