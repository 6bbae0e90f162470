"""Which courier brings which order, when to leave, and why."""
