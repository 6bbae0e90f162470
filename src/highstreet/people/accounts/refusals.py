from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

WRONG_LOGIN = reason("wrong_login", 401, _("User name or password is wrong."))
RUNS_PLATFORM = reason(
    "runs_platform", 409, _("This account runs the platform. Have another administrator end that first, then erase it.")
)
CODE_NEEDED = reason("code_needed", 401, _("Send the code of your authenticator app too, or a recovery code."))
WRONG_CODE = reason("wrong_code", 401, _("This code is wrong or was used already."))
