"""Whether what `make` installs has a wheel for each machine and Python that rebuy is for.

    python -m tools.wheels            # every machine, every Python; asks the package index
    python -m tools.wheels 3.14       # one Python, or one that rebuy is not for yet

uv resolves what setup.py asks for, in the versions of constraints.txt, as that machine would, and
installs nothing. Prints what has no wheel there, what asks for another Python and what has no pin,
and exits with 1 if there is any. Not run by tests: it needs the network.
"""

from __future__ import annotations

import re
import sys
import tempfile
from importlib import metadata
from itertools import product
from pathlib import Path

from tools.install import CONSTRAINTS, WithoutUv, uv

PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux arm64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "macOS x86-64": "x86_64-apple-darwin",
}
# Released as archives without compiled code of a machine: each builds its own wheel of them.
ARCHIVES = ("pyspark", "stepfunctions")


def asked() -> str:
    """The requirements of rebuy and of all its extras, a line each, with their markers."""
    lines = metadata.requires("rebuy") or []
    return "\n".join(re.sub(r"""(; | and )extra == ["']\w+["']""", "", line) for line in lines)


def names(lines: str) -> set[str]:
    return {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"(?m)^([\w.-]+)==", lines)}


def main(pythons: tuple[str, ...]) -> int:
    pinned = names(Path(CONSTRAINTS).read_text())
    lacking = 0
    with uv() as run, tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(asked())
        requirements.flush()
        only = ["--only-binary=:all:", *(f"--no-binary={name}" for name in ARCHIVES)]
        for machine, python in product(MACHINES, pythons):
            target = ("--python-platform", MACHINES[machine], "--python-version", python)
            try:
                found = names(run("pip", "compile", *only, *target, requirements.name))
                said = ", ".join(f"{name} has no pin" for name in sorted(found - pinned))
            except WithoutUv as reason:
                found, said = set(), str(reason)
            lacking += bool(said)
            print(f"{machine}, Python {python}: {said or f'{len(found)} packages'}", flush=True)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or PYTHONS))
