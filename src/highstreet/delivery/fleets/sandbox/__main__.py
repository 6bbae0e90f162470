"""`python -m highstreet.delivery.fleets.sandbox --port N --accounts FILE [--seed N]`. It goes by HIGHSTREET_CLOCK."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from .app import create_app


async def _serve(options: argparse.Namespace) -> None:
    app = create_app(json.loads(options.accounts.read_text(encoding="utf-8")), seed=options.seed)
    # Embedded: one process, so whoever ends it ends all of it.
    server = Server(app, address=options.host, port=options.port, interface=Interfaces.ASGI, websockets=False)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def main() -> None:
    """Serve until SIGTERM. The accounts' file is a JSON object: for "wechat" and "meituan" what `Dialect.secrets` asks
    for, and `notify_url`, the address that the console shows for the fleet."""
    parser = argparse.ArgumentParser(prog="highstreet.delivery.fleets.sandbox")
    parser.add_argument("--host", default="127.0.0.1", help="keep it local: the switches know no password")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--accounts", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0, help="of who rides, and of what is shuffled")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
