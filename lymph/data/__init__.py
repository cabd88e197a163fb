"""Pictures on disk become the picture table and pixels."""
