"""Why nothing was erased or agreed to."""

from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

NOT_CONFIRMED = reason("not_confirmed", 422, _("Type {word} to erase your data. Nothing has been erased."))
UNKNOWN_PURPOSE = reason("unknown_purpose", 404, _("We do not ask about {purpose}."))
NOTHING_TO_ERASE = reason("nothing_to_erase", 404, _("We know nothing about you that could be erased."))
BOUGHT_ELSEWHERE = reason(
    "bought_elsewhere",
    409,
    _("They have also bought from others here, whose orders you may not see. Ask them to do it at Your data."),
)
NOT_PROVED = reason("not_proved", 404, _("No order has this key and this phone number."))
