"""One package from one store: accepted, picked, packed, handed over or collected."""
