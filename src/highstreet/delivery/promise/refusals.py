from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

CAPACITY_GONE = reason(
    "capacity_gone", 409, _("The couriers for {name} were taken meanwhile. See the new time, then order.")
)
