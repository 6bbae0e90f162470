"""The shop's pages: each calls one action or a few reads and translates."""
