"""The fleet sandbox that we ship: a small real server that speaks both fleets' protocols and brings things in its way.

It takes an order, moves it through its states on the business clock and tells so by signed callbacks, with faults by
choice, so that the platform runs the same code against it as in production; only `base_url` differs. Nobody rides.
Nothing imports it but tests; `python -m highstreet.delivery.fleets.sandbox` starts it. A restarted one has forgotten.
"""
