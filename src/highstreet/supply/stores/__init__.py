"""Places customers know: where they are, when they are open, whom they reach."""
