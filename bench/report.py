"""Results as a file, as tables of README, and as a plot."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load import Cost

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
_COLOURS = {"ours": "#1a7f5a", "hand-written": "#6b7280", "bare ASGI": "#9ca3af"}
_OTHERS = ("#c2410c", "#b45309", "#7c3aed", "#2563eb", "#be185d")


def write(
    costs: dict[str, dict[str, list[Cost]]],
    processes: dict[str, dict[str, float]],
    alone: Mapping[str, Sequence[tuple[float, float]]],
    experts: int,
) -> None:
    """Keep the results of a size, and bring README and plot in line."""
    kept = {
        "experts": experts,
        **_where_and_when(),
        "processes": {name: {what: round(much, 2) for what, much in each.items()} for name, each in processes.items()},
        "pgbench": beside(alone),
        "operations": {name: {who: summary(those, by["ours"]) for who, those in by.items()} for name, by in costs.items()},
    }
    _keep(f"{experts}.json", kept)
    largest = measured()[0]
    (RESULTS / "cpu.svg").write_text(plot(largest["operations"], largest["experts"]))


def write_growth(costs: Mapping[str, Mapping[int, Sequence[Cost]]]) -> None:
    """Keep what PostgreSQL's CPU is at each size, and bring README in line."""
    sizes = list(next(iter(costs.values())))
    found = {}
    for name, by in costs.items():
        base = by[sizes[-2]] if len(sizes) > 1 else by[sizes[0]]
        ratios = [_database(large) / _database(small) for large, small in zip(by[sizes[-1]], base, strict=True)]
        found[name] = {"database_us": {size: round(statistics.median(map(_database, those))) for size, those in by.items()}}
        found[name]["ratio"] = [round(each, 2) for each in _spread(ratios)]
    _keep("growth.json", {"sizes": sizes, **_where_and_when(), "questions": found})


def write_instructions(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Keep how many instructions a request takes, by operation and server, and bring README in line."""
    _keep("instructions.json", {**_where_and_when(), "operations": counts})


def beside(alone: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, Any]:
    """What pgbench does a second of each operation, and how much of it our server does."""
    return {
        name: {
            "per_second": round(statistics.median(tps for tps, _ in those)),
            "ours": [round(each, 2) for each in _spread(_shares(those))],
        }
        for name, those in alone.items()
        if those
    }


def _shares(those: Sequence[tuple[float, float]]) -> Sequence[float]:
    return [ours / tps for tps, ours in those]


def of_pgbench(found: Mapping[str, Any]) -> str:
    """In one line, with quartiles."""
    lines = []
    for name, each in found.items():
        middle, low, high = each["ours"]
        lines.append(f"{name} **{middle:.2f}** ({low:.2f} – {high:.2f}) of {each['per_second']:,}")
    return ", ".join(lines)


def _database(cost: Cost) -> float:
    return 1e6 * cost.database_cpu / cost.requests


def _spread(ratios: Sequence[float]) -> Sequence[float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else list(ratios) * 3
    return middle, low, high


def _where_and_when() -> dict[str, str]:
    return {
        "at": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def _keep(name: str, kept: Any) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    text = (HERE / "README.md").read_text()
    before, _, rest = text.partition("<!-- begin: results -->")
    after = rest.partition("<!-- end: results -->")[2]
    (HERE / "README.md").write_text(f"{before}<!-- begin: results -->\n{tables()}\n<!-- end: results -->{after}")


def summary(those: Sequence[Cost], ours: Sequence[Cost]) -> dict[str, Any]:
    """Medians over the rounds, and the ratio to ours with its quartiles over pairs of rounds."""
    ratios = [each.cpu / our.cpu for each, our in zip(those, ours, strict=True)]
    median = lambda of: statistics.median(map(of, those))  # noqa: E731
    return {
        "per_second": round(median(lambda each: each.per_second)),
        "p50_ms": round(median(lambda each: each.percentile(0.5)), 2),
        "p99_ms": round(median(lambda each: each.percentile(0.99)), 2),
        "server_us": round(median(lambda each: 1e6 * each.server_cpu / each.requests)),
        "database_us": round(median(lambda each: 1e6 * each.database_cpu / each.requests)),
        "ratio": [round(each, 2) for each in _spread(ratios)],
    }


def measured() -> list[dict[str, Any]]:
    """The kept results, the largest size first."""
    found = (json.loads(path.read_text()) for path in RESULTS.glob("[0-9]*.json"))
    return sorted(found, key=lambda each: -each["experts"])


def growth() -> list[str]:
    """PostgreSQL's CPU for our answers at each size, and how much more the largest costs than the one before."""
    path = RESULTS / "growth.json"
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    sizes = kept["sizes"]
    lines = [
        "",
        "### Growth",
        "",
        f"CPU of PostgreSQL for one answer of ours, µs; all sizes by turns. {kept['at']}, {kept['machine']}.",
        "",
    ]
    told = f"{sizes[-1]:,} ÷ {sizes[-2]:,} (quartiles)" if len(sizes) > 1 else "itself"
    lines += ["| question | " + " | ".join(f"{size:,} experts" for size in sizes) + f" | {told} |"]
    lines += ["| --- |" + " --: |" * (len(sizes) + 1)]
    for name, each in kept["questions"].items():
        middle, low, high = each["ratio"]
        costs = " | ".join(f"{each['database_us'][str(size)]:,}" for size in sizes)
        lines.append(f"| {name} | {costs} | **{middle:.2f}** ({low:.2f} – {high:.2f}) |")
    return lines


def instructions() -> list[str]:
    """Instructions a request."""
    path = RESULTS / "instructions.json"
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    servers = list(dict.fromkeys(who for by in kept["operations"].values() for who in by))
    lines = ["", "### Instructions", "", f"Of the server's process for one request, thousands. {kept['at']}, {kept['machine']}.", ""]
    lines += ["| operation | " + " | ".join(servers) + " |", "| --- |" + " --: |" * len(servers)]
    for name, by in kept["operations"].items():
        lines.append(f"| {name} | " + " | ".join(f"{by[who] / 1_000:,.0f}" if who in by else "–" for who in servers) + " |")
    return lines


def tables() -> str:
    """Of every size that was measured, the largest first, how the cost grows, and the instructions of a request."""
    found = measured()
    lines = growth() + instructions()
    for kept in found:
        lines += ["", f"### {kept['experts']:,} experts", "", f"{kept['at']}, {kept['machine']}.", ""]
        lines += ["| operation | server | requests/s | p50 ms | p99 ms | CPU server µs | CPU PostgreSQL µs | CPU, × ours (quartiles) |"]
        lines += ["| --- | --- | --: | --: | --: | --: | --: | --: |"]
        for name, by in kept["operations"].items():
            for who, each in by.items():
                middle, low, high = each["ratio"]
                ratio = "1" if who == "ours" else f"**{middle:.2f}** ({low:.2f} – {high:.2f})"
                lines.append(
                    f"| {name} | {who} | {each['per_second']:,} | {each['p50_ms']} | {each['p99_ms']} | {each['server_us']:,} "
                    f"| {each['database_us']:,} | {ratio} |"
                )
        lines += ["", "| process | CPU to start, s | memory then, MiB | memory after the run, MiB |", "| --- | --: | --: | --: |"]
        for who, each in kept["processes"].items():
            lines.append(f"| {who} | {each['start_cpu']:.2f} | {each['start_mib']:.0f} | {each['mib']:.0f} |")
        if kept["pgbench"]:
            lines += [
                "",
                f"Answers a second of ours, of those of the same statement in pgbench on one connection: {of_pgbench(kept['pgbench'])}.",
            ]
    return "\n".join(lines)


def plot(operations: dict[str, Any], experts: int) -> str:
    """Bars of CPU a request, server and PostgreSQL, by operation; each operation has its own scale."""
    parts, top = [], 40
    others = iter(_OTHERS)
    colours = dict(_COLOURS)
    for name, by in operations.items():
        most = max(each["server_us"] + each["database_us"] for each in by.values())
        parts.append(f'<text x="10" y="{top}" font-weight="bold">{name}</text>')
        for who, each in by.items():
            top += 20
            colour = colours.setdefault(who, next(others, "#111111")) if who not in colours else colours[who]
            server, database = (560 * each[part] / most for part in ("server_us", "database_us"))
            parts.append(f'<text x="130" y="{top + 4}" text-anchor="end">{who}</text>')
            bar = f'y="{top - 8}" height="14" fill="{colour}"'
            parts.append(f'<rect x="140" width="{server:.1f}" {bar}/>')
            parts.append(f'<rect x="{140 + server:.1f}" width="{database:.1f}" {bar} fill-opacity="0.45"/>')
            total = each["server_us"] + each["database_us"]
            parts.append(f'<text x="{146 + server + database:.1f}" y="{top + 4}">{total:,} µs · {each["ratio"][0]:.2f} ×</text>')
        top += 34
    title = f"CPU a request at {experts:,} experts: server (full) and PostgreSQL (pale)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{top}" font-family="sans-serif" font-size="12">'
        f'<rect width="860" height="{top}" fill="white"/><text x="10" y="18" font-size="14">{title}</text>{"".join(parts)}</svg>\n'
    )
