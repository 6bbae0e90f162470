"""DATABASE_URL as libpq reads it: every parameter that it names reaches every connection."""

from __future__ import annotations

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

# Without these a machine that is gone, or a firewall that forgot, is noticed after hours. Seconds; the last in ms.
OVER_TCP = {
    "connect_timeout": "5",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def parameters(url: str) -> dict[str, str]:
    """libpq's parameters of a URL or connection string; over TCP with `OVER_TCP` where the URL says nothing else.

    psycopg.ProgrammingError if it names one that libpq does not know.
    """
    given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    return {**OVER_TCP, **given} if _over_tcp(given) else given


def conninfo(url: str) -> str:
    """`parameters` as one string."""
    return make_conninfo(**parameters(url))


def for_programs(url: str) -> tuple[str, dict[str, str]]:
    """How PostgreSQL's programs find the server: a connection string for `--dbname`, and an environment.

    What has a variable goes there, passwords above all: everybody on a machine may read command lines.
    """
    known = {option.keyword.decode(): option for option in pq.Conninfo.get_defaults()}
    given = parameters(url)
    named = {variable.decode(): value for name, value in given.items() if (variable := known[name].envvar)}
    rest = {name: value for name, value in given.items() if not known[name].envvar and known[name].dispchar != b"*"}
    return make_conninfo(**rest, dbname=given.get("dbname")), named


def _over_tcp(given: dict[str, str]) -> bool:
    hosts = given.get("host", "").split(",")
    return "hostaddr" in given or any(host and not host.startswith(("/", "@")) for host in hosts)
