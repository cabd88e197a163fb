"""Parts of the Classify page, and of what Start hands to it."""
