"""Deliveries by hired fleets, for stores without couriers: given once, followed by their callbacks, never lost.

A callback is verified, kept in an inbox, answered 200 and applied by a job. States may be skipped, repeated or come
late; a delivery never moves back. Whatever a fleet refuses, drops or forgets goes on to the next way to the door.
"""
