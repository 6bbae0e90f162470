"""The shop: what a customer sees, from search to doorstep."""
