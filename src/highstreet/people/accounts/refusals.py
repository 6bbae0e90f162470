from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

WRONG_LOGIN = reason("wrong_login", 401, _("User name or password is wrong."))
TOO_MANY_TRIES = reason("too_many_tries", 429, _("Too many tries. Wait 15 minutes."))
