"""Why nothing is dropped."""

from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

IN_USE = reason(
    "database_in_use", 409, _("{count} connections use this database. Stop the platform first; nothing was changed.")
)
