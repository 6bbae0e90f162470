"""The promise, the streets, the couriers and their dispatch."""
