"""Closed-loop load for the benchmarks, and what it costs: seconds, CPU and instructions of trees of processes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes


class Wire:
    """One kept-alive HTTP/1.1 connection that costs little itself; keeps cookies."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._pipes: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.cookies: dict[str, str] = {}
        self.last = 0  # the last answer's status
        self.later = 0.0  # seconds after which it told us to come again

    async def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        # A server may close what lies idle; who has seen that asks anew, as browsers do (RFC 9112, 9.3.1).
        if self._pipes is not None and self._pipes[0].at_eof():
            self.close()
        if self._pipes is None:
            self._pipes = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._pipes
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await self._read(reader)
        self.cookies |= answer.cookies
        self.last, self.later = answer.status, float(answer.headers.get("retry-after", "0"))
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                key, _, content = value.strip().partition(";")[0].partition("=")
                cookies[key] = content
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split(" ")[1]), headers, cookies, body)

    def close(self) -> None:
        if self._pipes is not None:
            self._pipes[1].close()
        self._pipes = None


def parent(pid: int) -> int:
    """The process above; of a PostgreSQL backend, the one that stands for the whole server."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(entry.name))
    return found


def tree(root: int) -> list[int]:
    """The process and all below it."""
    below, found = _children(), [root]
    for pid in found:
        found += below.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a tree, with that of children which have ended."""
    total = 0
    for pid in tree(root):
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(part) for part in parts[11:15])
    return total / TICK


def memory_mb(root: int) -> float:
    """Proportional set size of a tree: what is shared counts once."""
    total = 0
    for pid in tree(root):
        try:
            total += int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[0])
        except (OSError, IndexError):
            continue
    return total / 1024


class Instructions:
    """`perf stat` beside a run; None where the machine's counters are out of reach (most virtual machines)."""

    def __init__(self, root: int) -> None:
        self._process: subprocess.Popen[str] | None = None
        if shutil.which("perf"):
            pids = ",".join(str(pid) for pid in tree(root))
            command = ["perf", "stat", "-x", ";", "-e", "instructions", "-p", pids]
            self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def stop(self) -> float | None:
        if self._process is None:
            return None
        self._process.send_signal(2)
        said = self._process.communicate()[1]
        first = said.strip().splitlines()[0].split(";")[0] if said.strip() else ""
        return float(first) if first.isdigit() else None


@dataclass(frozen=True)
class Cost:
    """Of one operation under load: a second, latencies in ms, CPU in ms and M instructions (server, PostgreSQL)."""

    name: str
    clients: int
    done: int
    failed: int
    per_second: float
    p50: float
    p99: float
    server_ms: float
    database_ms: float
    server_m: float | None
    database_m: float | None
    system: str = ""
    why: str = ""  # the statuses of what failed

    @staticmethod
    def head() -> str:
        return (
            "| system | operation | clients | a second | p50 ms | p99 ms | CPU ms: server + PostgreSQL | "
            "M instructions | failed |\n|---|---|---|---|---|---|---|---|---|"
        )

    def row(self) -> str:
        return (
            f"| {self.system} | {self.name} | {self.clients} | {self.per_second:.1f} | "
            f"{self.p50:.1f} | {self.p99:.1f} | "
            f"{self.server_ms:.2f} + {self.database_ms:.2f} | {self.million() or 'not counted here'} | "
            f"{self.failures()} |"
        )

    def failures(self) -> str:
        return f"{self.failed} ({self.why})" if self.failed else "0"

    def million(self) -> str:
        """Millions of instructions of server and PostgreSQL; nothing where they are not counted."""
        if self.server_m is None or self.database_m is None:
            return ""
        return f"{self.server_m:.2f} + {self.database_m:.2f}"


@dataclass(frozen=True)
class Rush:
    """What became of `units` when `buyers` ordered one each at once: sold by the books, told so, and how long."""

    units: int
    buyers: int
    sold: int
    told: int
    seconds: float

    def words(self) -> str:
        false = max(0, min(self.units, self.buyers) - self.sold)
        over = max(0, self.sold - self.units)
        return f"{self.sold} sold ({over} too many, {false} too few), {self.told} told so, {self.seconds:.1f} s"


Operation = Callable[[Wire, int], Awaitable[bool]]


@dataclass
class Meter:
    """Runs an operation from many clients and says what it cost the processes under these roots."""

    url: str
    server: int
    database: int
    seconds: float = 4.0
    system: str = ""
    kept: list[Cost] = field(default_factory=list)

    def run(self, name: str, operation: Operation, clients: int) -> Cost:
        """A warm-up of a second, then `seconds` of load. `operation(wire, number)` returns whether it went well."""
        cost = asyncio.run(self._run(name, operation, clients))
        self.kept.append(cost)
        return cost

    async def _run(self, name: str, operation: Operation, clients: int) -> Cost:
        wires = [Wire(self.url) for _ in range(clients)]
        await self._load(wires, operation, 1.0, 0)
        before = cpu_seconds(self.server), cpu_seconds(self.database)
        counters = Instructions(self.server), Instructions(self.database)
        began = time.perf_counter()
        took, failed = await self._load(wires, operation, self.seconds, 1_000_000)
        lasted = time.perf_counter() - began
        counted = [counter.stop() for counter in counters]
        after = cpu_seconds(self.server), cpu_seconds(self.database)
        for wire in wires:
            wire.close()
        done = max(1, len(took))
        each = [(new - old) / done * 1000 for old, new in zip(before, after, strict=True)]
        million = [None if one is None else one / done / 1e6 for one in counted]
        rate = len(took) / lasted
        why = ", ".join(f"{many} × {status}" for status, many in failed.items())
        lost = failed.total()
        return Cost(
            name,
            clients,
            len(took),
            lost,
            rate,
            *latencies(took),
            each[0],
            each[1],
            million[0],
            million[1],
            self.system,
            why,
        )

    async def _load(
        self, wires: Sequence[Wire], operation: Operation, seconds: float, offset: int
    ) -> tuple[list[float], Counter[int]]:
        took: list[float] = []
        failed: Counter[int] = Counter()
        until = time.perf_counter() + seconds

        async def client(number: int, wire: Wire) -> None:
            turn = 0
            while (start := time.perf_counter()) < until:
                if await operation(wire, offset + number + turn * len(wires)):
                    took.append((time.perf_counter() - start) * 1000)
                else:
                    failed[wire.last] += 1
                    # Who is told to come again later does; else refusals would be most of what is measured.
                    await asyncio.sleep(min(wire.later, max(0.0, until - time.perf_counter())))
                turn += 1

        await asyncio.gather(*(client(number, wire) for number, wire in enumerate(wires)))
        return took, failed


def latencies(took: list[float]) -> tuple[float, float]:
    if len(took) < 2:
        return (took[0], took[0]) if took else (0.0, 0.0)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]
