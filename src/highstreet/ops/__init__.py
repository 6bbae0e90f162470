"""What operators do: back up and restore, migrate while serving, look after an installation.

Stands above everything but the twin; nothing imports it but the command line.
"""
