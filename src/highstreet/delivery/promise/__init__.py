"""The window we hold capacity for, computed before purchase, and whether it was kept."""
