"""Refusals that every package may give."""

from django.utils.translation import gettext_lazy as _

from .refusal import reason

FORBIDDEN = reason("forbidden", 403, _("You may not do this."))
FORGED = reason("csrf", 403, _("This came without the page's token. Reload the page and try again."))
NOT_FOUND = reason("not_found", 404, _("There is nothing here that you may see."))
NOT_SIGNED_IN = reason("not_signed_in", 401, _("Sign in first."))
SECOND_FACTOR_NEEDED = reason(
    "second_factor_needed", 403, _("Your organisation asks for a second factor here. Set it up first.")
)
OVER_LIMIT = reason("over_limit", 403, _("Your limit is {limit}. Who may do more: {who}."))
TOO_MANY_TRIES = reason("too_many_tries", 429, _("Too many tries. Wait 15 minutes."))
INVALID = reason("invalid", 422, _("Check {field}: {problem}."))
WRONG_STATE = reason("wrong_state", 409, _("Too late: this is already {state}."))
HELD_BY_OTHERS = reason("held_by_others", 409, _("Someone was faster: {name} is no longer free."))
KEY_REUSED = reason("key_reused", 422, _("This Idempotency-Key was used for another request."))
KEY_IN_FLIGHT = reason("key_in_flight", 409, _("The same request is still being worked on."))
KEY_MISSING = reason("key_missing", 422, _("Send an Idempotency-Key header."))
TOO_LARGE = reason("too_large", 413, _("That is more than we take at once."))
URL_TOO_LONG = reason("url_too_long", 414, _("This address is longer than we take."))
HEADERS_TOO_LARGE = reason("headers_too_large", 431, _("The headers of this request are more than we take."))
WRONG_METHOD = reason("wrong_method", 405, _("This cannot be done here. The Allow header says what can."))
TOO_OFTEN = reason("too_often", 429, _("That is too often. Try again in {seconds} s."))
BUSY = reason("busy", 503, _("We are busy for a moment. Try again in a few seconds."))
STILL_WORKING = reason("still_working", 409, _("Something of yours is still being worked on. Try again in a minute."))
