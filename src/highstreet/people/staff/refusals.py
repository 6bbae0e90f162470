"""Why nobody is hired, dismissed or given a limit."""

from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

EMPLOYED_ELSEWHERE = reason("employed_elsewhere", 409, _("This user works for another organisation"))
LAST_OWNER = reason("last_owner", 409, _("Nobody else is an owner. Make someone an owner first"))
WORKS_HERE = reason(
    "works_here", 409, _("This account works here. Ask whoever employs you to end that first, then erase it")
)
OWNERS_HAVE_NONE = reason("owners_have_no_limit", 409, _("Owners have no limits: somebody has to be able to"))
YOURSELF_FIRST = reason(
    "second_factor_first", 409, _("Set up your own second factor first, or you would lock yourself out")
)
