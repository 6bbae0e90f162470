"""How long after what was expected: quantiles learned from a city's past, and set right as its day goes on.

Arrays in, numbers out; no clock, no database. Times are minutes; a score is minutes over what was expected, divided by
a spread, so that short and long rides can teach each other.
"""
