"""When what nobody brings, or brings back, is given up: by our own couriers as by a fleet. Plain values."""

from __future__ import annotations

from datetime import timedelta

# After its promise, and of waiting with nobody who takes it.
GIVE_UP_LATE = timedelta(minutes=60)
# After it could not be handed over, until its goods are in the store again.
BACK_WITHIN = timedelta(hours=2)
