"""Partners by machine: keys with scopes, and webhooks that are signed, in order per order, retried and replayable."""
