"""Couriers, their shifts, positions and earnings."""
