"""What choosing among many models on the test set does to its figure."""
