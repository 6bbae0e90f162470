"""`highstreet`: everything the makefile does, and what operators do by hand.

Exit codes: 0 done, 1 what was asked for did not hold (an audit, a check), 2 wrong words or wrong input.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from highstreet.delivery.dispatch import commands as days
from highstreet.ops.commands import declare

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Errors of the caller are one line on stderr, never a traceback."""
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")
    if arguments.data:
        os.environ["HIGHSTREET_DATA"] = str(arguments.data)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        if _is_callers(error):
            print(f"highstreet: {_words(error, getattr(arguments, 'language', 'en'))}", file=sys.stderr)
            return 2
        raise


def _is_callers(error: Exception) -> bool:
    from highstreet.delivery.dispatch.engine.days.instances import BadInstance
    from highstreet.kernel.refusal import Refused
    from highstreet.ops.backup import Failed
    from highstreet.supply.catalog.rules.rows import BadFile

    return isinstance(
        error, Refused | BadFile | BadInstance | Failed | FileNotFoundError | PermissionError | IsADirectoryError
    )


def _words(error: Exception, language: str) -> str:
    from django.utils import translation

    from highstreet.kernel.refusal import Refused

    if not isinstance(error, Refused):
        return str(error)
    with translation.override(language):
        return f"{error.reason.code}: {error.words}"


def _database(arguments: argparse.Namespace) -> None:
    """Without DATABASE_URL: the demo's own database in --data, in its own time. Refuses to guess."""
    if not os.environ.get("DATABASE_URL"):
        if not arguments.data:
            from highstreet.ops.backup import Failed

            raise Failed("set DATABASE_URL to the database of this installation, or say --data var for the demo's")
        folder = Path(arguments.data).resolve()
        clock_file = folder / "clock.json"
        if clock_file.exists():
            os.environ.setdefault("HIGHSTREET_CLOCK", json.loads(clock_file.read_text())["rate"])
        from highstreet.kernel import postgres

        server = postgres.start(folder / "pg")
        postgres.ensure_database(server, "highstreet")
        os.environ["DATABASE_URL"] = server.url("highstreet")


def _django(arguments: argparse.Namespace) -> None:
    """Set Django up on the database."""
    _database(arguments)
    import django

    django.setup()


def _on_django(command: Command) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        _django(arguments)
        return command(arguments)

    return run


def _demo(arguments: argparse.Namespace) -> int:
    from highstreet.twin.demo import Options, run

    return run(
        Options(
            port=arguments.port,
            speed=arguments.speed,
            city_lives=not arguments.empty,
            data=Path(os.environ.get("HIGHSTREET_DATA", "var")).resolve(),
            start_at=arguments.start_at,
            orders_a_day=arguments.orders,
            check_only=arguments.check,
        )
    )


def _web(arguments: argparse.Namespace) -> int:
    _database(arguments)
    from highstreet.web.server import serve

    serve(
        "highstreet.wsgi:application",
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        threads=arguments.threads,
        drain=arguments.drain,
    )
    return 0


def _streams(arguments: argparse.Namespace) -> int:
    _database(arguments)
    from highstreet.web.server import serve

    serve("highstreet.web.streams:application", host=arguments.host, port=arguments.port, drain=arguments.drain)
    return 0


def _worker(arguments: argparse.Namespace) -> int:
    _django(arguments)
    from highstreet.kernel import working

    working.run(arguments.concurrency, grace=arguments.grace)
    return 0


def _dispatch(arguments: argparse.Namespace) -> int:
    _django(arguments)
    import signal

    from highstreet.delivery.dispatch.loop import run_forever

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    run_forever(stop)
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    _django(arguments)
    from highstreet.kernel import audit, heartbeat

    started = time.monotonic()
    findings = audit.run()
    for finding in findings:
        mark = "broken" if finding.broken else "holds "
        print(f"{finding.check:<4} {mark}  {finding.says}")
        for row in finding.broken:
            print(f"       {row}")
    broken = sum(bool(finding.broken) for finding in findings)
    heartbeat.beat("audit", broken=broken, seconds=round(time.monotonic() - started, 1))
    print(f"{len(findings)} invariants, {broken} broken")
    return 1 if broken else 0


def _privacy(arguments: argparse.Namespace) -> int:
    _django(arguments)
    if arguments.forget:
        from highstreet.kernel import privacy

        for table, count in sorted(privacy.enforce().items()):
            print(f"{table}: {count}")
        return 0
    from highstreet.kernel.privacy.words import as_markdown

    for line in as_markdown():
        print(line)
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from highstreet.supply.catalog.rules import rows

    categories_file = arguments.categories or arguments.products.with_name("categories.csv")
    stores = rows.read(arguments.stores.name, arguments.stores.read_bytes(), rows.store, ["code"])
    products = rows.read(arguments.products.name, arguments.products.read_bytes(), rows.product, ["sku", "barcode"])
    categories = rows.read(categories_file.name, categories_file.read_bytes(), rows.category, ["code"])
    places = [place for file in arguments.places for place in rows.read(file.name, file.read_bytes(), rows.place)]
    arguments.streets.open("rb").close()
    _django(arguments)
    from django.db import transaction

    from highstreet.delivery.routing import actions as routing
    from highstreet.kernel.policy import THE_SYSTEM
    from highstreet.supply.catalog.actions import import_city
    from highstreet.twin.files import bounds_of

    try:
        bounds = bounds_of(arguments.streets)
    except (RuntimeError, ValueError) as error:
        raise rows.BadFile(arguments.streets.name, [(0, f"no OpenStreetMap extract: {error}")]) from error
    names = sorted({row.organisation for row in stores} - {arguments.retailer})
    organisations: dict[str, tuple[str, str, str]] = {
        arguments.retailer: ("brand", arguments.retailer, arguments.retailer),
        **{name: ("franchisee", name, name) for name in names},
    }
    files = rows.CityFiles(
        code=arguments.code,
        name_zh=arguments.name_zh or arguments.code,
        name_en=arguments.name_en or arguments.code,
        time_zone=arguments.time_zone,
        currency=arguments.currency,
        bounds=bounds,
        centre=((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2),
        organisations=organisations,
        categories=categories,
        stores=stores,
        products=products,
        places=places,
    )
    with transaction.atomic():
        city_id = import_city(actor=THE_SYSTEM, files=files)
        junctions = routing.load(actor=THE_SYSTEM, city_id=city_id, pbf_path=arguments.streets)
    print(f"{arguments.code}: {len(stores)} stores, {len(products)} products, {junctions} junctions")
    return 0


def _manage(arguments: argparse.Namespace) -> int:
    _django(arguments)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["highstreet manage", *arguments.words])
    return 0


def _live(arguments: argparse.Namespace) -> int:
    from highstreet.twin.city import live

    return live(
        base_url=arguments.url,
        orders_a_day=arguments.orders,
        seed=arguments.seed,
        days=arguments.days,
        faults=arguments.faults,
        couriers=arguments.couriers,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="highstreet", description="The open O2O retail platform.")
    parser.add_argument("--data", type=Path, help="where the demo's own database and files live (the demo: var)")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Command, words: str, parent: Any = commands) -> Any:
        sub = parent.add_parser(name, help=words, description=words)
        sub.set_defaults(command=command)
        return sub

    demo = add("demo", _demo, "the whole platform with a living city, on one command")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--speed", type=float, default=1.0, help="business seconds in a second, 1 to 60")
    demo.add_argument("--empty", action="store_true", help="nobody but you: no simulated people")
    demo.add_argument("--orders", type=int, default=600, help="simulated orders a day")
    demo.add_argument("--start-at", default="", help="local time at which the day starts, such as 11:30")
    demo.add_argument("--check", action="store_true", help="start, place one order to the doorstep, audit, stop")
    declare(lambda name, command, words: add(name, _on_django(command), words))
    for name, command, words, port in (
        ("web", _web, "serve pages and the API", 8000),
        ("streams", _streams, "serve the event streams", 8001),
    ):
        server = add(name, command, words)
        server.add_argument("--host", default="127.0.0.1")
        server.add_argument("--port", type=int, default=port)
        server.add_argument("--workers", type=int, default=1)
        server.add_argument("--threads", type=int, default=8, help="requests worked on at once in each worker")
        server.add_argument("--drain", type=float, default=0.0, help="seconds of /readyz 503 before stopping")
    worker = add("worker", _worker, "run jobs")
    worker.add_argument("--concurrency", type=int, default=4)
    worker.add_argument("--grace", type=int, default=5, help="seconds that jobs may go on when told to stop")
    dispatch = add("dispatch", _dispatch, "match orders to couriers, for ever; or compare ways of doing so")
    ways = dispatch.add_subparsers(metavar="COMMAND")
    days.declare(lambda name, command, words: add(name, command, words, ways))
    add("audit", _audit, "recompute every invariant; exit 1 and say what is broken")
    private = add("privacy", _privacy, "print the register of personal data, as in docs/privacy.md")
    private.add_argument("--forget", action="store_true", help="instead, forget what is past its period, now")
    city = commands.add_parser("city", help="cities and their files").add_subparsers(required=True, metavar="COMMAND")
    load = add("import", _import, "load a city's streets, stores and catalogue, all or nothing", city)
    load.add_argument("streets", type=Path, help="an OpenStreetMap extract, .osm.pbf")
    load.add_argument("--stores", type=Path, required=True)
    load.add_argument("--products", type=Path, required=True)
    load.add_argument("--categories", type=Path, help="default: categories.csv beside the products")
    load.add_argument("--places", type=Path, action="append", default=[], help="landmarks or home cells")
    load.add_argument("--code", required=True)
    load.add_argument("--name-zh", default="")
    load.add_argument("--name-en", default="")
    load.add_argument("--retailer", default="retailer")
    load.add_argument("--time-zone", default="Asia/Shanghai", choices=sorted(available_timezones()), metavar="ZONE")
    load.add_argument("--currency", default="CNY")
    live = add("live", _live, "simulated shoppers, pickers and couriers on a running platform")
    live.add_argument("--url", default="http://127.0.0.1:8000")
    live.add_argument("--orders", type=int, default=600)
    live.add_argument("--seed", type=int, default=1)
    live.add_argument("--faults", action="store_true", help="couriers vanish or tell no place, a shop is shut at noon")
    live.add_argument("--couriers", type=int, default=40, help="how many of the demo's 40 couriers come to work")
    live.add_argument("--days", type=float, default=0.0, help="stop after so many simulated days (0: never)")
    manage = add("manage", _manage, "Django's own commands")
    manage.add_argument("words", nargs=argparse.REMAINDER)
    return parser
