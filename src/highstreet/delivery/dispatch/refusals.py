from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

WRONG_PROOF = reason("wrong_proof", 409, _("That is not the customer's code. Ask again, digit by digit."))
PROOF_NEEDED = reason("proof_needed", 422, _("Enter the customer's code or take a photo."))
UNKNOWN_INCIDENT = reason("unknown_incident", 422, _("Choose what happened."))
NOT_READY = reason("not_ready", 409, _("The store has not packed this order yet."))
BAG_FULL = reason("bag_full", 409, _("This courier's bag is full: {count} orders in hand."))
COURIER_AWAY = reason("courier_away", 409, _("This courier is not on shift now, or shares no position."))
MOVED_ON = reason("moved_on", 409, _("This order changed while you looked at it. See how it stands, then decide."))
REPLAY_EMPTY = reason("replay_empty", 409, _("On that day no delivery of this city arrived that could be replayed."))
REPLAY_RUNS = reason("replay_runs", 409, _("A replay of this city still runs. Wait for it to end."))
REPLAY_NO_ROSTER = reason(
    "replay_no_roster", 409, _("No roster was published for that day. Choose the shifts as worked, or as proposed.")
)
REPLAY_NO_SHIFTS = reason("replay_no_shifts", 409, _("On that other day nobody worked. Choose another."))
REPLAY_UNLEARNT = reason(
    "replay_unlearnt",
    409,
    _("In the eight weeks before that day nothing was delivered: there is nothing to propose from."),
)
REPLAY_OTHER_DAY = reason(
    "replay_other_day", 422, _("The shifts of another day: choose one that is over, and not the day itself.")
)
ON_THE_WAY = reason("on_the_way", 409, _("A courier still carries something of yours. Try again when it has arrived."))
