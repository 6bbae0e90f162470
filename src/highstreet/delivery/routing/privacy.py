"""Streets are nobody's."""

from highstreet.kernel.privacy import impersonal

impersonal("a city's streets and how fast they are", "routing_streets", "routing_speedfactor")
