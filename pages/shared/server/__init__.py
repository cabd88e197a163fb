"""What surrounds the pages on the server: what it does ahead, guards, takes in and hands out."""
