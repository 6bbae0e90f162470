from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

WRONG_ITEM = reason("wrong_item", 409, _("Wrong item: scanned {scanned}, need {needed}"))
UNKNOWN_CODE = reason("unknown_code", 404, _("We do not sell {code}. Need {needed}"))
ALREADY_PICKED = reason("already_picked", 409, _("That is enough: all {quantity} × {name} are in the bag"))
NOT_ALL_PICKED = reason("not_all_picked", 409, _("{units} still to pick, first {needed}"))
NOT_ANSWERED = reason(
    "not_answered", 409, _("The shopper has not answered about {name} yet; the money goes back at {until}")
)
NOTHING_PICKED = reason("nothing_picked", 409, _("There is nothing in the bag to pack"))
TOO_MANY_UNITS = reason("too_many_units", 409, _("Only {left} × {name} are left to pick"))
NO_SUBSTITUTES = reason("no_substitutes", 409, _("The shopper wants the money back instead of another item"))
ALREADY_SUBSTITUTED = reason("already_substituted", 409, _("{name} already has a substitute"))
NOT_A_SUBSTITUTE = reason("not_a_substitute", 409, _("{name} is not sold here, or is the item itself"))
NOT_ASKED = reason("not_asked", 409, _("There is nothing left to answer about {name}"))
BAD_REASON = reason("bad_reason", 422, _("Choose one of the reasons"))
OTHER_ORDER = reason("other_order", 409, _("That is another order's number: this is {number}"))
NOBODYS_YET = reason(
    "nobodys_yet", 409, _("No courier has been chosen for {number} yet. Keep it until one has been, and comes for it")
)
CODE_UNKNOWN = reason(
    "pickup_code_unknown", 404, _("No order waits here under this code. Read it again, digit by digit")
)
CODE_USED = reason("pickup_code_used", 409, _("This code was used at {at}"))
CASH_DUE = reason("cash_due", 409, _("Take {due} first"))
CASH_CHANGED = reason("cash_changed", 409, _("Take {due} in cash, then confirm that amount"))
