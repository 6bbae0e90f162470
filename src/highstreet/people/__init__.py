"""Accounts, customers and staff."""
