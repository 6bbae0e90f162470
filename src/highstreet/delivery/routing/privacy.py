"""Streets are nobody's."""

from highstreet.kernel.privacy import impersonal

impersonal("a city's streets", "routing_streets")
