"""What the actions share. Each runs in its caller's transaction, on an order that is locked."""
