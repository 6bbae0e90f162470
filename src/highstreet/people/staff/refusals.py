"""Why nobody is hired or dismissed."""

from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

EMPLOYED_ELSEWHERE = reason("employed_elsewhere", 409, _("This user works for another organisation"))
LAST_OWNER = reason("last_owner", 409, _("Nobody else is an owner. Make someone an owner first"))
WORKS_HERE = reason(
    "works_here", 409, _("This account works here. Ask whoever employs you to end that first, then erase it")
)
