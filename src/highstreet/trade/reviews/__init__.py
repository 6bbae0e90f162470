"""What customers say of orders they received."""
