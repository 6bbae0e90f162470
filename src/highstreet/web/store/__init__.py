"""The store app: what pickers and store managers work with."""
