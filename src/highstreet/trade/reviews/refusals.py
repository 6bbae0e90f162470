from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

NOT_COMPLETED = reason("not_completed", 409, _("You can rate an order once you have it."))
ALREADY_RATED = reason("already_rated", 409, _("You have rated this order already. Thank you."))
