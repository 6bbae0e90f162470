"""What is on the shelf, and every move that explains it."""
