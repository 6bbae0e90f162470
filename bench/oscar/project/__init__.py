"""The shop that django-oscar runs; imported only in its own environment."""
