"""Organisations, stores, the catalogue and stock."""
