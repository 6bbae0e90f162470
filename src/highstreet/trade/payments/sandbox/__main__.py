"""`python -m highstreet.trade.payments.sandbox --port N --state-dir DIR [--speed X] [--notify-url URL]`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from .app import create_app
from .crypto import ensure_keys


async def _serve(options: argparse.Namespace) -> None:
    app = create_app(
        options.state_dir,
        speed=options.speed,
        probe_every=options.probe_every,
        shop_origin=options.shop_origin,
    )
    # Embedded: one process, so whoever ends it ends all of it.
    server = Server(app, address=options.host, port=options.port, interface=Interfaces.ASGI, websockets=False)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def main() -> None:
    """Make the keys if there are none, write `wechat.json` for the shop, and serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="highstreet.trade.payments.sandbox")
    parser.add_argument("--host", default="127.0.0.1", help="keep it local: the switches know no password")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--speed", type=float, default=1.0, help="divides the retry ladder")
    parser.add_argument("--probe-every", type=int, default=10, help="0: no probes")
    parser.add_argument("--notify-url", default=None, help="where the shop hears of payments")
    parser.add_argument("--shop-origin", default="", help="where the phone may send the customer back to")
    options = parser.parse_args()
    if options.speed <= 0:
        parser.error("--speed must be above 0")
    base_url = f"http://{options.host}:{options.port}"
    ensure_keys(options.state_dir, base_url=base_url, notify_url=options.notify_url)
    asyncio.run(_serve(options))


if __name__ == "__main__":
    main()
