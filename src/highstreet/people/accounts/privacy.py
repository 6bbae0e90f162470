"""Users, how they sign in, and what the login's libraries write down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from highstreet.kernel import clock
from highstreet.kernel.privacy import Open, Period, impersonal, personal, public, scope
from highstreet.kernel.privacy.persons import Values
from highstreet.kernel.privacy.register import WALL, Table

from .refusals import RUNS_PLATFORM

OF_USER = "t.user_id = ANY(%(user)s)"
OF_NAME = "t.username = ANY(%(usernames)s)"


def sessions_of(known: Values) -> Sequence[str]:
    """The keys of the live sessions of these users. A session is sealed, so each has to be opened."""
    wanted = {str(one) for one in known["user"]}
    if not wanted:
        return []
    live = Session.objects.filter(expire_date__gt=datetime.fromtimestamp(clock.wall(), UTC)).iterator()
    return [row.session_key for row in live if row.get_decoded().get(SESSION_KEY) in wanted]


scope("sessions", sessions_of)
public("usr", "user")
scope("usernames", "SELECT username FROM accounts_user WHERE id = ANY(%(user)s)")
scope("emails", "SELECT id FROM account_emailaddress WHERE user_id = ANY(%(user)s)")
scope("tries", "SELECT id FROM axes_accessattempt WHERE username = ANY(%(usernames)s)")

personal(
    Table(
        "accounts_user",
        ("user", "customer", "courier", "employee"),
        "account",
        "t.id = ANY(%(user)s)",
        blank={
            "username": "'gone-' || t.id",
            "password": "'!'",
            "first_name": "''",
            "last_name": "''",
            "email": "''",
            "is_active": "false",
        },
        delete=True,
        keeps="someone who worked here stands in the store's histories as a number",
        plain=("language",),
        open=(Open("t.is_superuser", RUNS_PLATFORM),),
        secret=("password",),
    )
)
personal(
    Table(
        "accounts_apitoken",
        ("user", "customer", "courier", "employee"),
        "account",
        OF_USER,
        delete=True,
        secret=("digest",),
        periods=(
            Period(1, "t.expires_at < %(until)s OR t.revoked_at < %(until)s", "a day after it expired or was revoked"),
        ),
    )
)
personal(Table("accounts_user_groups", ("user",), "account", OF_USER, delete=True))
personal(Table("accounts_user_user_permissions", ("user",), "account", OF_USER, delete=True))
personal(Table("account_emailaddress", ("user", "customer"), "account", OF_USER, delete=True))
personal(
    Table(
        "account_emailconfirmation",
        ("user", "customer"),
        "account",
        "t.email_address_id = ANY(%(emails)s)",
        delete=True,
        secret=("key",),
        periods=(Period(30, "t.created < %(until)s", "30 days", stamp=WALL),),
    )
)
personal(
    Table("mfa_authenticator", ("user", "customer", "employee"), "security", OF_USER, delete=True, secret=("data",))
)
personal(
    Table(
        "django_session",
        ("user", "customer", "courier", "employee"),
        "account",
        "t.session_key = ANY(%(sessions)s)",
        delete=True,
        secret=("session_key", "session_data"),
        periods=(Period(0, "t.expire_date < %(until)s", "until it expires (two weeks)", stamp=WALL),),
    )
)
personal(
    Table(
        "django_admin_log",
        ("user", "employee"),
        "security",
        OF_USER,
        delete=True,
        periods=(Period(1095, "t.action_time < %(until)s", "3 years", stamp=WALL),),
    )
)
for _name, _since in (("axes_accessattempt", "attempt_time"), ("axes_accessfailurelog", "attempt_time")):
    personal(
        Table(
            _name,
            ("user", "customer", "courier", "employee"),
            "security",
            OF_NAME,
            delete=True,
            periods=(Period(30, f"t.{_since} < %(until)s", "30 days", stamp=WALL),),
        )
    )
personal(
    Table(
        "axes_accesslog",
        ("user", "customer", "courier", "employee"),
        "security",
        OF_NAME,
        delete=True,
        secret=("session_hash",),
        periods=(Period(30, "t.attempt_time < %(until)s", "30 days", stamp=WALL),),
    )
)
personal(
    Table(
        "axes_accessattemptexpiration",
        ("user",),
        "security",
        "t.access_attempt_id = ANY(%(tries)s)",
        delete=True,
        periods=(Period(1, "t.expires_at < %(until)s", "a day", stamp=WALL),),
    )
)
impersonal("what groups may do", "auth_group", "auth_group_permissions", "auth_permission")
personal(
    Table(
        "usersessions_usersession",
        ("user", "customer", "courier", "employee"),
        "security",
        OF_USER,
        delete=True,
        secret=("session_key",),
        periods=(Period(30, "t.last_seen_at < %(until)s", "30 days after it was last used", stamp=WALL),),
    )
)
impersonal(
    "sealed copies of sessions and used codes, gone with their time",
    "accounts_cache",
    periods=(Period(0, "t.expires < %(until)s", "until it expires", stamp=WALL),),
)
