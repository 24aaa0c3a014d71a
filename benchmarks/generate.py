"""Times and peak memory of generating data, beside only writing the same tables with pandas.

    python -m benchmarks.generate [--sizes 2000,20000,206209] [--compare] [--learn] [--keep FOLDER]

Every measurement is a process of its own. --compare names the statistics that lie too far from
the real data, --learn trains on each set (minutes, 6 GB at full size) and says how hard it is,
--keep leaves the data in FOLDER/<users>.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SIZES = (2_000, 20_000, 206_209)
PANDAS_SIZE = 20_000
CASES = Path(__file__).parents[1] / "tests" / "cases" / "instacart_statistics.json"
Figures = Mapping[str, object]


def generate_set(users: int, folder: Path) -> Figures:
    """Generate, and say how much came out."""
    from rebuy.data.generate import generate

    data = generate(users, folder)
    return {
        "prior_lines": data.prior_lines,
        "megabytes": round(sum(file.stat().st_size for file in data.files) / 1e6),
    }


def write_with_pandas(users: int, folder: Path) -> Figures:
    """Write the tables of an existing set with DataFrame.to_csv; reading is not timed."""
    import pandas

    tables = {file.name: pandas.read_csv(file) for file in sorted(folder.glob("*.csv"))}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        for name, table in tables.items():
            table.to_csv(Path(out) / name, index=False)
    return {"seconds": round(time.perf_counter() - started, 1)}


def compare(users: int, folder: Path) -> Figures:
    """The statistics out of tolerance, with their value here and in the real data."""
    from rebuy.data.statistics import statistics

    counted = statistics(folder)
    cases = [
        case for case in json.loads(CASES.read_text()) if case.get("users_at_least", 0) <= users
    ]
    outside = {
        case["statistic"]: [round(counted.get(case["statistic"], float("nan")), 4), case["real"]]
        for case in cases
        if not abs(counted.get(case["statistic"], float("nan")) - case["real"]) <= case["tolerance"]
    }
    return {"compared": len(cases), "outside": outside}


def learn(users: int, folder: Path) -> Figures:
    """How hard the set is."""
    from benchmarks.learnability import learnability

    return {key: round(value, 4) for key, value in learnability(folder)._asdict().items()}


KINDS: dict[str, Callable[[int, Path], Figures]] = {
    "generate": generate_set,
    "pandas to_csv": write_with_pandas,
    "compare": compare,
    "learn": learn,
}


def measure(kind: str, users: int, folder: Path) -> None:
    """Run one kind of work in this process and print its figures as JSON."""
    started = time.perf_counter()
    figures = KINDS[kind](users, folder)
    seconds = round(time.perf_counter() - started, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        json.dumps({"users": users, "kind": kind, "seconds": seconds, "peak_mib": peak, **figures})
    )


def main() -> None:
    """Run all measurements, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        kind, users, folder = options.measure
        measure(kind, int(users), Path(folder))
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        for users in map(int, options.sizes.split(",")):
            kinds = ["generate"]
            kinds += ["pandas to_csv"] if users == PANDAS_SIZE else []
            kinds += ["compare"] if options.compare else []
            kinds += ["learn"] if options.learn else []
            for kind in kinds:
                command = [sys.executable, "-m", "benchmarks.generate"]
                arguments = ["--measure", kind, str(users), str(root / str(users))]
                subprocess.run(command + arguments, check=True)


if __name__ == "__main__":
    main()
