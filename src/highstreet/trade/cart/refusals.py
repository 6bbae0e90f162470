from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

CART_CHANGED = reason("cart_changed", 409, _("Your basket has changed meanwhile. Look at it again, then go on."))
CART_FULL = reason("cart_full", 409, _("A basket holds up to {lines} different items. Order these first."))
EMPTY_CART = reason("empty_cart", 409, _("Your basket is empty. Add something first."))
BAD_QUANTITY = reason("bad_quantity", 422, _("Choose a whole number from 0 to {most}."))
NOT_SOLD = reason("not_sold", 404, _("We do not sell this any more."))
