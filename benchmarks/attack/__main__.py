"""Attacks on the running product, counted.

    python -m benchmarks.attack [NAME ...] [--times N] [--users 300] [--seed 7] [--folder FOLDER]

Each attack has a local AWS of its own with the product deployed, does its harm so many times and
looks afterwards whether anything was lost, doubled or wrong. Prints what happened as it goes and a
table at the end; exit code 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack import (
    bursts,
    connections,
    crowd,
    disk_full,
    exhausted,
    grants,
    grants_around,
    kills,
    large,
    soak,
)
from benchmarks.attack.product import Product

Lines = Iterator[str]


@dataclass(frozen=True)
class Attack:
    """`unit` is what `--times` counts."""

    unit: str
    times: int
    begin: Callable[[Product, int, int], Lines]


ATTACKS = {
    "kills": Attack("kill -9", 200, kills.attack),
    "bursts": Attack("bursts of uploads", 100, bursts.attack),
    "crowd": Attack("executions at once", 10, lambda product, n, _: crowd.attack(product, n)),
    "exhausted": Attack("rounds", 3, exhausted.attack),
    "disk-full": Attack("times full", 20, disk_full.attack),
    "connections": Attack(
        "connections", 1000, lambda product, n, _: connections.attack(product, n)
    ),
    "grants": Attack("run without grants", 1, lambda product, *_: grants.attack(product)),
    "grants-around": Attack(
        "time everything else without grants", 1, lambda product, *_: grants_around.attack(product)
    ),
    "large": Attack("GiB", 5, lambda product, n, _: large.attack(product, n)),
    "soak": Attack("minutes", 120, soak.attack),
}


def run(name: str, product: Product, times: int, seed: int) -> list[str]:
    """The lines of one attack, printed as they come."""
    lines = []
    print(f"== {name}: {times} {ATTACKS[name].unit}", flush=True)
    try:
        for line in ATTACKS[name].begin(product, times, seed):
            print(line, flush=True)
            lines.append(line)
    finally:
        product.tear_down()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ATTACKS))
    parser.add_argument("--times", type=int, help="other than each attack's own number")
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    given = parser.parse_args()
    if unknown := set(given.names) - ATTACKS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(ATTACKS)}")
    names = given.names or [name for name in ATTACKS if name != "soak"]
    if "disk-full" in names and (code := disk_full.enter(sys.argv[1:])) is not None:
        sys.exit(code)
    folder = given.folder or Path(tempfile.mkdtemp())
    rows = []
    for name in names:
        began = time.monotonic()
        times = given.times or ATTACKS[name].times
        lines = run(name, Product(folder / name / "home", given.users), times, given.seed)
        wrong = sum(line.startswith("WRONG") for line in lines)
        seconds = time.monotonic() - began
        rows.append((name, f"{times} {ATTACKS[name].unit}", f"{seconds:.0f} s", wrong))
    if given.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n| attack | | took | did not hold |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    sys.exit(1 if any(wrong for *_, wrong in rows) else 0)


if __name__ == "__main__":
    main()
