"""A store's address and phone number are on its door."""

from highstreet.kernel.privacy import impersonal

impersonal("what stands on the store's door", "stores_store")
