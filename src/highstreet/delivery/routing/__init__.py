"""Where streets lead and how long they take.

Promises: travel times, routes and addresses from the city's own street data, with no outside service; the
same streets give the same answer every time; a city without streets falls back on the straight
line and says so. Numerics live in `engine/` (arrays in, arrays out; no Django, no clock, no database).
"""
