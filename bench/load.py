"""Requests over kept connections, and what they cost: CPU of processes, latencies."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_ALL_THREADS = 2
"""With the complement of a process's number before it, Linux's name of that process's CPU clock (clock_getcpuclockid)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took. CPU in seconds, latencies in seconds, sorted."""

    requests: int
    wall: float
    server_cpu: float
    database_cpu: float
    latencies: Sequence[float]

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.wall

    @property
    def cpu(self) -> float:
        """Microseconds of CPU a request, server and PostgreSQL together."""
        return 1e6 * (self.server_cpu + self.database_cpu) / self.requests

    def percentile(self, share: float) -> float:
        """A latency in milliseconds."""
        return 1e3 * self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU that living processes have used so far, from the scheduler's own account (nanoseconds): all threads, those that ended too."""
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime(~pid << 3 | _ALL_THREADS)
        except OSError:
            continue  # a process that has just ended
    return total


def children(pid: int) -> list[int]:
    """The processes that this one has started and that live: a postmaster's backends."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(f"/proc/{entry.name}/stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def ended_seconds(pid: int) -> float:
    """CPU of all processes that this one started and that have ended: a backend that goes takes its own account with it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def database_seconds(postmaster: int) -> float:
    """CPU that PostgreSQL has used so far: all its processes, those that have ended too."""
    return cpu_seconds([postmaster, *children(postmaster)]) + ended_seconds(postmaster)


def resident_mib(pid: int) -> float:
    """Resident memory, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """The body of one answer; raises RuntimeError unless it is a 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = chunked = None
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        chunked = chunked or (name.lower() == b"transfer-encoding")
    if length is None:
        raise RuntimeError(f"an answer without length: {head!r}")
    body = await reader.readexactly(length)
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"{head.decode()}{body.decode()[:2_000]}")
    return body


async def ask(port: int, request: bytes) -> bytes:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        return await exchange(reader, writer, request)
    finally:
        writer.close()


async def load(port: int, requests: Iterator[bytes], *, seconds: float | None, connections: int, server: int, postmaster: int) -> Cost:
    """Send requests over some connections for so long, or until there are no more, and tell what that cost."""
    latencies: list[float] = []
    pairs = [await asyncio.open_connection("127.0.0.1", port, limit=2**22) for _ in range(connections)]
    server_before, database_before, began = cpu_seconds([server]), database_seconds(postmaster), time.perf_counter()
    until = began + seconds if seconds else float("inf")

    async def user(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in requests:
            sent = time.perf_counter()
            await exchange(reader, writer, request)
            now = time.perf_counter()
            latencies.append(now - sent)
            if now > until:
                return

    await asyncio.gather(*(user(*pair) for pair in pairs))
    wall = time.perf_counter() - began
    server_cpu = cpu_seconds([server]) - server_before
    database_cpu = database_seconds(postmaster) - database_before
    for _, writer in pairs:
        writer.close()
    return Cost(len(latencies), wall, server_cpu, database_cpu, sorted(latencies))
