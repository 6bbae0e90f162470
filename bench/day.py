"""A day of the simulated city on the real processes: `python bench/day.py [--speed 60] [--hours 15] [--orders 600]`.

Prints how every order ended, what share of the promises was kept against the quantile promised, how long packed goods
stood and couriers waited for them, and the audit. `--couriers 14` makes couriers scarce.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

from highstreet.twin.demo import Demo, Options  # noqa: E402
from highstreet.twin.files import ZONE  # noqa: E402

SEED = 5
ENDED = ("completed", "cancelled", "expired")


@dataclass
class Load:
    """CPU used while it ran: of the machine (share of all cores) and, each few seconds, its load average."""

    seen: list[float] = field(default_factory=list)
    busy: float = 0.0

    def watch(self, stop: threading.Event) -> None:
        before = _jiffies()
        while not stop.wait(5.0):
            self.seen.append(os.getloadavg()[0])
        after = _jiffies()
        self.busy = (after[0] - before[0]) / max(after[1] - before[1], 1)


def _jiffies() -> tuple[int, int]:
    """Busy and total CPU ticks since boot (proc(5), /proc/stat)."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def lived(options: argparse.Namespace, folder: Path) -> int:
    """Start everything, live the day, print, stop. 0 when every order ended and nothing is broken."""
    demo = Demo(Options(options.port, options.speed, city_lives=False, data=folder / "var", start_at=options.start_at))
    demo.claim()
    stop, load = threading.Event(), Load()
    try:
        demo.start()
        watcher = threading.Thread(target=load.watch, args=[stop])
        watcher.start()
        began = time.monotonic()
        killed = [0]
        killer = threading.Thread(target=_kill, args=[demo, options, stop, killed])
        killer.start()
        words = ["--faults"] if options.faults else []
        words += ["--couriers", str(options.couriers)]
        words += ["--orders", str(options.orders), "--seed", str(options.seed), "--days", str(options.hours / 24)]
        city = subprocess.run(
            [sys.executable, "-m", "highstreet", "live", "--url", f"http://127.0.0.1:{demo.ports.web}", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        stop.set()
        watcher.join()
        killer.join()
        print(f"\ndispatcher killed {killed[0]} times" if options.faults else "")
        print(f"lived {took / 60:.1f} min; CPU {100 * load.busy:.0f} % of {os.cpu_count()} cores, ", end="")
        print(f"load average {max(load.seen):.1f} at most\n")
        return _told(city.returncode, city.stdout, city.stderr)
    finally:
        stop.set()
        demo.stop()


def _kill(demo: Demo, options: argparse.Namespace, stop: threading.Event, killed: list[int]) -> None:
    """kill -9 the dispatcher again and again over the day, at odd moments; it is started anew at once."""
    if not options.faults:
        return
    source = Random(options.seed)
    every = options.hours * 3600 / options.speed / options.kills
    while killed[0] < options.kills and not stop.wait(every * source.uniform(0.5, 1.4)):
        victim = demo.processes["dispatch"]
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
        killed[0] += 1
        demo.spawn_dispatcher()


def _told(code: int, out: str, errors: str) -> int:
    from highstreet.delivery.promise.models import Promise
    from highstreet.kernel import audit
    from highstreet.trade.orders.models import Order

    counts = json.loads(out) if out.strip() else {}
    print(f"the simulated people (exit code {code}):", ", ".join(f"{what} {n}" for what, n in counts.items()))
    orders = Counter(Order.objects.values_list("status", flat=True))
    open_ones = sum(n for status, n in orders.items() if status not in ENDED)
    print(f"orders {sum(orders.values())}: {dict(orders)}; not ended {open_ones}\n")
    by: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    late: dict[tuple[str, str], list[int]] = defaultdict(list)
    quantiles = set()
    for promise in Promise.objects.all():
        quantiles.add(promise.quantile)
        hour = f"{promise.made_at.astimezone(ZONE):%H} h"
        mode = "chosen" if promise.begins_at else promise.mode
        for key in ((mode, "day"), (mode, hour)):
            by[key][promise.outcome] += 1
            if promise.late_seconds is not None:
                late[key].append(promise.late_seconds)
    print(f"promised at the quantile {sorted(quantiles)}")
    print(
        f"{'mode':<9} {'made in':<8} {'kept':>5} {'broken':>7} {'void':>5} {'kept %':>7} {'median s':>9} {'p90 s':>7}"
    )
    for key in sorted(by, key=lambda key: (key[0], key[1] != "day", key[1])):
        seen, seconds = by[key], sorted(late[key])
        judged = seen["kept"] + seen["broken"]
        share = f"{100 * seen['kept'] / judged:.1f}" if judged else "-"
        print(
            f"{key[0]:<9} {key[1]:<8} {seen['kept']:>5} {seen['broken']:>7} {seen['void']:>5} {share:>7} "
            f"{_at(seconds, 0.5):>9} {_at(seconds, 0.9):>7}"
        )
    _met()
    findings = audit.run()
    broken = [finding for finding in findings if finding.broken]
    print(f"\naudit: {len(findings)} invariants, {len(broken)} broken")
    if code:
        print(errors[-2000:], file=sys.stderr)
    return 0 if not (open_ones or broken or code) else 1


def _met() -> None:
    """Who waited for whom at the shops: packed goods for their courier, couriers for their goods. Minutes."""
    from highstreet.delivery.dispatch.models import Delivery

    stood: dict[str, list[int]] = defaultdict(list)
    waited: dict[str, list[int]] = defaultdict(list)
    rides = Delivery.objects.exclude(picked_up_at=None).exclude(ready_at=None).filter(not_before=None)
    for packed, came, left, begun in rides.values_list("ready_at", "arrived_at", "picked_up_at", "created_at"):
        assert packed and left
        for key in ("day", f"{begun.astimezone(ZONE):%H} h"):
            stood[key].append(max(round((left - packed).total_seconds()), 0))
            waited[key].append(max(round((packed - (came or left)).total_seconds()), 0))
    print(f"\n{'goods stood, couriers waited':<29} {'rides':>5} {'mean':>6} {'p90':>6} {'mean':>6} {'p90':>6} min")
    for key in sorted(stood, key=lambda key: (key != "day", key)):
        told = [_minutes(sorted(values[key])) for values in (stood, waited)]
        print(f"{key:<29} {len(stood[key]):>5} {told[0]} {told[1]}")


def _minutes(seconds: list[int]) -> str:
    """Mean and 90th percentile."""
    return f"{sum(seconds) / len(seconds) / 60:>6.1f} {int(_at(seconds, 0.9)) / 60:>6.1f}"


def _at(values: list[int], share: float) -> str:
    """A quantile of seconds late (negative: early)."""
    return str(values[min(int(len(values) * share), len(values) - 1)]) if values else "-"


def main(argv: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--hours", type=float, default=15.0)
    parser.add_argument("--start-at", default="07:30")
    parser.add_argument("--orders", type=int, default=600)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--couriers", type=int, default=40, help="how many of the 40 come to work")
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--faults", action="store_true", help="couriers vanish, a shop is shut, the dispatcher dies")
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args(list(argv))
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"command  python bench/day.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"machine  {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, commit {commit.stdout.strip() or 'unknown'}"
    )
    print(f"date     {datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="highstreet-day-") as folder:
        return lived(options, Path(folder))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
