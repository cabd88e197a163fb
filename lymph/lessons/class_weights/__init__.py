"""Class weights from none to absurd, and one-hot targets."""
