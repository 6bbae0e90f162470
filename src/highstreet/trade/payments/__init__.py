"""Money with providers: intents, notifications, refunds. A callback is verified, kept, then applied."""
