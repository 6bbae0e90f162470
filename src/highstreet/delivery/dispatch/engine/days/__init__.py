"""Days of deliveries in MDRPLib's format: read, generated, simulated under any policy, and scored.

`score` reads only the instance and the log of events, never the simulation's own numbers.
"""
