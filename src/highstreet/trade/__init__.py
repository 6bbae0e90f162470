"""Prices, carts, orders, payments, fulfilments and reviews."""
