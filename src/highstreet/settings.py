"""Django settings. Everything that differs between machines comes from the environment."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from django.templatetags.static import static

from highstreet.kernel.context import configure_logging
from highstreet.kernel.dsn import parameters
from highstreet.kernel.messages import compile_all

PACKAGE = Path(__file__).resolve().parent
DATA_DIR = Path(os.environ.get("HIGHSTREET_DATA", "var")).resolve()
DEBUG = False
SECRET_KEY = os.environ.get("HIGHSTREET_SECRET_KEY", "only-for-tests-and-the-demo")
ALLOWED_HOSTS = os.environ.get("HIGHSTREET_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
_LOCAL = {"localhost", "127.0.0.1", "[::1]", "testserver"}
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("HIGHSTREET_ORIGINS", "").split(",") if origin]
HTTPS = os.environ.get("HIGHSTREET_HTTPS", "") == "1"
if (HTTPS or not set(ALLOWED_HOSTS) <= _LOCAL) and SECRET_KEY == "only-for-tests-and-the-demo":
    raise ValueError("set HIGHSTREET_SECRET_KEY: with the demo's secret anybody can forge sessions")
STREAM_URL = os.environ.get("HIGHSTREET_STREAM_URL", "")
SHOP_URL = os.environ.get("HIGHSTREET_SHOP_URL", "http://127.0.0.1:8000")
WECHAT_CONFIG = os.environ.get("HIGHSTREET_WECHAT", "")
# Who says how long ways take: "" the city's own streets, osrm:bike=URL,car=URL or valhalla:URL.
TRAVEL = os.environ.get("HIGHSTREET_TRAVEL", "")
WALLET_URL = os.environ.get("HIGHSTREET_WALLET_URL", "")
# Times the limits of web/rules.py, or "off". Behind proxies of ours: how many, so that guests keep their own address.
RATE = os.environ.get("HIGHSTREET_RATE", "1")
if RATE != "off" and not float(RATE) > 0:
    raise ValueError("HIGHSTREET_RATE is a number above 0, or off")
PROXY_HOPS = int(os.environ.get("HIGHSTREET_PROXY_HOPS", "0"))
# Who may read /metrics besides this machine: networks of ours, such as 10.0.0.0/8.
METRICS_FROM = [ipaddress.ip_network(net) for net in os.environ.get("HIGHSTREET_METRICS_FROM", "").split(",") if net]
# Webhooks may go to this machine, without TLS.
DEV = os.environ.get("HIGHSTREET_DEV", "") == "1"
LOG_LEVEL = os.environ.get("HIGHSTREET_LOG", "INFO")
configure_logging(LOG_LEVEL)
# Before any app loads: Django keeps the first catalogue it reads, and others' apps ask for one in their `ready()`.
compile_all()


# The longest that one statement may take: short where somebody waits for the answer (web.server), long in jobs.
QUERY_MS = int(os.environ.get("HIGHSTREET_QUERY_MS", "15000"))
# The same for a change that has an Idempotency-Key: it may have to wait its turn for what is scarce.
CHANGE_MS = max(QUERY_MS, 10_000)


def _database(url: str) -> dict[str, object]:
    """`postgresql://user:password@host:port/name?host=/socket/dir&sslmode=verify-full` as Django wants it."""
    given = parameters(url)
    # A service names its own.
    named = "service" not in given
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", "postgres" if named else ""),
        "USER": given.pop("user", "postgres" if named else ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **given,
            # No parallel plans: a page is one core's work, and a shelf's two halves come one after the other.
            "options": f"-c statement_timeout={QUERY_MS} -c lock_timeout={min(QUERY_MS, 10_000)} "
            f"-c max_parallel_workers_per_gather=0 {given.get('options', '')}".rstrip(),
            "server_side_binding": True,
            "prepare_threshold": 2,
        },
    }


DATABASES = {"default": _database(os.environ.get("DATABASE_URL", "postgresql:///highstreet"))}

FEATURES = [
    "kernel",
    "people.accounts",
    "people.customers",
    "people.staff",
    "supply.organisations",
    "supply.stores",
    "supply.catalog",
    "supply.inventory",
    "trade.pricing",
    "trade.cart",
    "trade.payments",
    "trade.fulfilment",
    "trade.orders",
    "trade.reviews",
    "delivery.routing",
    "delivery.couriers",
    "delivery.promise",
    "delivery.dispatch",
    "delivery.fleets",
    "growth.partners",
    "web.ui",
    "web.shop",
    "web.store",
    "web.courier",
    "web.console",
    "ops",
]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "procrastinate.contrib.django",
    "import_export",
    *(f"highstreet.{name}" for name in FEATURES if (PACKAGE / name.replace(".", "/")).is_dir()),
]

MIDDLEWARE = [
    "highstreet.web.middleware.RequestContext",
    "highstreet.web.headers.Headers",
    "highstreet.web.headers.Csp",
    "highstreet.web.edges.Edges",
    "django.middleware.security.SecurityMiddleware",
    "highstreet.web.statics.Statics",
    # Its random padding (Heal the BREACH) and masked CSRF tokens keep what is secret from being guessed by length.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "highstreet.web.middleware.Language",
    "highstreet.web.middleware.Common",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "highstreet.web.middleware.Actors",
    "highstreet.web.csrf.ApiCookies",
    "highstreet.web.limits.Limits",
    "highstreet.web.limits.KeyGuesses",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "highstreet.web.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web/ui/templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "highstreet.web.middleware.page_context",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "highstreet.web.ui.loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton", "django.templatetags.static", "django.templatetags.i18n"],
        },
    }
]

ROOT_URLCONF = "highstreet.urls"
WSGI_APPLICATION = "highstreet.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/home/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "highstreet.people.accounts.adapter.Accounts"
ACCOUNT_FORMS = {
    "login": "highstreet.people.accounts.forms.SignIn",
    "signup": "highstreet.people.accounts.forms.SignUp",
    "add_email": "highstreet.people.accounts.forms.AddEmail",
    "change_password": "highstreet.people.accounts.forms.ChangePassword",
    "set_password": "highstreet.people.accounts.forms.SetPassword",
    "reset_password": "highstreet.people.accounts.forms.AskForLink",
    "reset_password_from_key": "highstreet.people.accounts.forms.PasswordByLink",
    "reauthenticate": "highstreet.people.accounts.forms.PasswordAgain",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "highstreet.people.accounts.second_factor.SecondFactor"
MFA_FORMS = {
    "activate_totp": "highstreet.people.accounts.forms.FirstCode",
    "authenticate": "highstreet.people.accounts.forms.Code",
    "reauthenticate": "highstreet.people.accounts.forms.CodeAgain",
}
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Operators of /admin/ need a second factor wherever it is served in earnest.
ADMIN_SECOND_FACTOR = HTTPS or os.environ.get("HIGHSTREET_ADMIN_SECOND_FACTOR", "") == "1"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
# A name from one address: whoever guesses locks out themselves, not the person whose name it is.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "highstreet.people.accounts.signins.address_of"
AXES_LOCKOUT_CALLABLE = "highstreet.web.limits.locked_out"
AXES_ENABLED = os.environ.get("HIGHSTREET_AXES", "1") == "1"
# Mails (a password to be reset) go by SMTP where a host is named, else nowhere.
EMAIL_HOST = os.environ.get("HIGHSTREET_SMTP", "")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
EMAIL_TIMEOUT = 5
# Asked where a password is chosen, not where one is used.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "highstreet.people.accounts.forms.LongEnough"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", "django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Not cached_db: a process would go on believing in a session that another one has ended.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
# What must hold for all processes (a one-time code is used, how often something was tried) is in the database.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "accounts_cache"}}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# A browser takes a cookie of this name only from this very host and over TLS: no subdomain can plant one.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = ("__Host-session", "__Host-csrf") if HTTPS else ("sessionid", "csrftoken")
# Only a proxy of ours may say that the browser came over TLS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and PROXY_HOPS else None
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400
APPEND_SLASH = False

LANGUAGE_CODE = "zh-hans"
LANGUAGE_COOKIE_NAME = "lang"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# Only where they were collected: without, they come from the apps' folders.
STATIC_ROOT = DATA_DIR / "static" if "HIGHSTREET_STATIC" in os.environ else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": os.environ.get("HIGHSTREET_STATIC", "django.contrib.staticfiles.storage.StaticFilesStorage")
    },
}
WHITENOISE_USE_FINDERS = "HIGHSTREET_STATIC" not in os.environ

_stream = [STREAM_URL] if STREAM_URL else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'", *_stream],
        "form-action": ["'self'", *([WALLET_URL] if WALLET_URL else [])],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    },
}
# Unfold writes its colours into an inline <style>; ours come as a file, so that the policy needs no inline styles.
UNFOLD = {
    "SITE_TITLE": "Highstreet",
    "SITE_HEADER": "Highstreet",
    "COLORS": lambda request: {},
    "STYLES": [lambda request: static("ui/admin.css")],
    "SCRIPTS": [lambda request: static("ui/admin.js")],
}
# No table is exported today; the first one that is must not carry formulas into a spreadsheet.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"masked": {"()": "highstreet.kernel.masking.MaskedFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "masked"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
