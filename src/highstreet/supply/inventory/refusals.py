from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

SOLD_OUT = reason("sold_out", 409, _("{name} has just sold out. Nothing was taken; change the basket and try again."))
NOT_ENOUGH = reason("not_enough_stock", 409, _("Only {free} left that nobody has ordered."))
