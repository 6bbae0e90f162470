"""Partners: who works with us by machine."""
