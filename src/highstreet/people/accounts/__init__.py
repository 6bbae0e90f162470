"""Who signs in: users, API tokens, and the actor that a request becomes."""
