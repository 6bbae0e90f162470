"""What is sold: categories, products, variants, and each store's listings."""
