"""Legal owners and the cities they serve."""
