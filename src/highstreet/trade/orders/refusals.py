from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

OUT_OF_RANGE = reason(
    "out_of_range",
    409,
    _("No shop of ours delivers there yet. Choose another address, or pick it up."),
)
ADDRESS_UNKNOWN = reason("address_unknown", 422, _("We cannot find this address. Point at it on the map."))
CLOSED = reason("closed", 409, _("The shops near you are closed. {store} opens at {opens}."))
NO_CAPACITY = reason(
    "no_capacity",
    409,
    _("All couriers are taken right now. Try again in a few minutes, or pick it up."),
)
SLOT_GONE = reason("slot_gone", 409, _("That time is taken or begins too soon. Choose another one."))
QUOTE_EXPIRED = reason(
    "quote_expired",
    409,
    _("This offer was good until {until}. Have it made again: it takes a second."),
)
QUOTE_USED = reason("quote_used", 409, _("This basket is already ordered."))
COSTS_MORE = reason("costs_more", 409, _("This costs more now than you agreed to. Look at the new total first."))
PROMISED_LATER = reason(
    "promised_later",
    409,
    _("It would come later than you agreed to: by {until}. Say yes to that, or choose another time."),
)
PAY_AT_PICKUP_ONLY = reason(
    "pay_at_pickup_only",
    422,
    _("Paying at the counter is for orders that you pick up."),
)
PAY_AT_DOOR_ONLY = reason(
    "pay_at_door_only",
    422,
    _("Paying the courier is for orders that we bring to you."),
)
NO_CASH_AT_DOOR = reason("no_cash_at_door", 409, _("Couriers take no cash here. Choose another way to pay."))
CASH_LIMIT = reason(
    "cash_limit",
    409,
    _("Couriers take up to {limit} in cash here, and this is more. Choose another way to pay."),
)
BAD_PHONE = reason("bad_phone", 422, _("Give a phone number of 5 to 15 digits, so that we can reach you."))
BAD_TEXT = reason("bad_text", 422, _("{field}: up to {most} characters, letters and signs only."))
BAD_PLACE = reason("bad_place", 422, _("This is no place on earth. Point at it on the map."))
BAD_CHOICE = reason("bad_choice", 422, _("{field} must be one of {choices}."))
TOO_LATE_TO_CANCEL = reason(
    "too_late_to_cancel",
    409,
    _("The shop is already packing. Write to us, or refuse it at the door."),
)
NOT_PAYABLE = reason("not_payable", 409, _("There is nothing to pay: the order is {state}."))
TOO_MANY_UNITS = reason("refund_too_many_units", 409, _("Only {left} units are left to refund."))
BAD_AMOUNT = reason("bad_amount", 422, _("Give a whole amount in fen, more than 0."))
ORDER_OPEN = reason(
    "order_open", 409, _("You have orders that are not finished ({count}). Wait for them, or cancel them.")
)
