from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

BAD_STREETS = reason("bad_streets", 422, _("These streets cannot be read: {problem}."))
