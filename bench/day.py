"""A day of the simulated city on the real processes: `python bench/day.py [--speed 60] [--hours 15] [--orders 600]`.

Prints how every order ended, what share of the promises was kept against the quantile promised, how long packed goods
stood and couriers waited for them, and the audit. `--couriers 14` makes couriers scarce.

`--faults` is a day in which all goes wrong (`bench.faults`): it fails when a fault did not happen, or an order ended
otherwise than delivered, refunded or compensated. `--control` is such a day on processes that give nothing up
(`bench.patient`): it fails when nobody is stuck.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

from bench.endings import ENDED, SETTLE_WALL, Endings, settled, table  # noqa: E402
from bench.faults import Faults  # noqa: E402
from highstreet.twin.demo import Demo, Options  # noqa: E402
from highstreet.twin.files import ZONE  # noqa: E402

SEED = 5


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
    if options.faults:
        # The fleets' sandbox is on this machine.
        os.environ["HIGHSTREET_DEV"] = "1"
    demo = Demo(Options(options.port, options.speed, city_lives=False, data=folder / "var", start_at=options.start_at))
    demo.claim()
    stop, load = threading.Event(), Load()
    try:
        demo.start()
        if options.control:
            _without_the_guard(demo)
        watcher = threading.Thread(target=load.watch, args=[stop])
        watcher.start()
        began = time.monotonic()
        with _faults(demo, options, folder) as faults:
            city = _live(demo, options)
            took = time.monotonic() - began
            if faults is not None:
                faults.rest()
            stop.set()
            watcher.join()
            print(f"\nlived {took / 60:.1f} min; CPU {100 * load.busy:.0f} % of {os.cpu_count()} cores, ", end="")
            print(f"load average {max(load.seen):.1f} at most\n")
            return _told(city, faults, control=options.control)
    finally:
        stop.set()
        demo.stop()


def _faults(demo: Demo, options: argparse.Namespace, folder: Path) -> Faults | nullcontext[None]:
    if not options.faults:
        return nullcontext()
    kills = 0 if options.control else options.kills
    return Faults(demo, folder, seed=options.seed, wall_seconds=options.hours * 3600 / options.speed, kills=kills)


def _live(demo: Demo, options: argparse.Namespace) -> subprocess.CompletedProcess[str]:
    """The simulated people, until the last of them has gone home."""
    words = ["--faults"] if options.faults else []
    words += ["--couriers", str(options.couriers)]
    words += ["--orders", str(options.orders), "--seed", str(options.seed), "--days", str(options.hours / 24)]
    return subprocess.run(
        [sys.executable, "-m", "highstreet", "live", "--url", f"http://127.0.0.1:{demo.ports.web}", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def _without_the_guard(demo: Demo) -> None:
    """The worker and the dispatcher give nothing up from now on."""
    for name, words in (("worker", "worker"), ("dispatch", "dispatch")):
        demo.processes[name].terminate()
        demo.processes[name].wait()
        demo.spawn(name, [sys.executable, str(ROOT / "bench" / "patient.py"), words])


def _told(city: subprocess.CompletedProcess[str], faults: Faults | None, *, control: bool) -> int:
    from highstreet.kernel import audit
    from highstreet.trade.orders.models import Order

    counts = json.loads(city.stdout) if city.stdout.strip() else {}
    code = city.returncode
    print(f"the simulated people (exit code {code}):", ", ".join(f"{what} {n}" for what, n in counts.items()))
    ended = settled(0.0 if control else SETTLE_WALL)
    orders = Counter(Order.objects.values_list("status", flat=True))
    open_ones = sum(n for status, n in orders.items() if status not in ENDED)
    print(f"orders {sum(orders.values())}: {dict(orders)}; not ended {open_ones}\n")
    _promised()
    _met()
    findings = audit.run()
    broken = [finding for finding in findings if finding.broken]
    print(f"\naudit: {len(findings)} invariants, {len(broken)} broken")
    for finding in broken:
        print(f"  {finding.check} {finding.says}: {finding.broken[:3]}")
    if code:
        print(city.stderr[-2000:], file=sys.stderr)
    good = not (open_ones or broken or code)
    if faults is None:
        return 0 if good else 1
    happened = _happened(ended, faults, counts)
    if control:
        print(f"\nthe control: {len(ended.wrong)} stuck, {len(broken)} invariants broken")
        return 0 if ended.how["not ended"] and broken else 1
    return 0 if good and happened else 1


def _happened(ended: Endings, faults: Faults, counts: dict[str, int]) -> bool:
    """Print what went wrong and how the orders ended. Whether each fault happened and none of them left anything."""
    happened = faults.counts(counts)
    print(f"\n{table(ended, happened)}")
    print("\npaid orders that ended without goods:", ", ".join(f"{why} {n}" for why, n in ended.reasons.most_common()))
    missing = [what for what, number in happened.items() if not number]
    missing += [f"the dispatcher killed {faults.killed} of {faults.kills} times"] * (faults.killed < faults.kills)
    for what in (*faults.errors, *(f"did not happen: {what}" for what in missing), *ended.wrong[:40]):
        print(f"WRONG  {what}")
    return not (faults.errors or missing or ended.wrong)


def _promised() -> None:
    """What was promised by the hour it was made in, and whether it was kept."""
    from highstreet.delivery.promise.models import Promise

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
    parser.add_argument("--faults", action="store_true", help="all that can goes wrong (bench.faults)")
    parser.add_argument("--kills", type=int, default=50, help="of the dispatcher, in a day with faults")
    parser.add_argument("--control", action="store_true", help="a day with faults and without the guard: must fail")
    parser.add_argument("--keep", type=Path, help="a new folder for the day's data and logs, kept")
    options = parser.parse_args(list(argv))
    options.faults |= options.control
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"command  python bench/day.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"machine  {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, commit {commit.stdout.strip() or 'unknown'}"
    )
    print(f"date     {datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC\n", flush=True)
    if options.keep:
        options.keep.mkdir(parents=True)
        return lived(options, options.keep.resolve())
    with tempfile.TemporaryDirectory(prefix="highstreet-day-") as folder:
        return lived(options, Path(folder))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
