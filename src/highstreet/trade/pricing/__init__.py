"""What a basket costs: line prices, delivery fee, per-unit frozen amounts."""
