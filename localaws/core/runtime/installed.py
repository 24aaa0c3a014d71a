"""Which packages are installed here, and what each of them needs."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import sysconfig
from collections.abc import Mapping
from pathlib import Path


@functools.cache
def with_requirements(names: frozenset[str]) -> frozenset[str]:
    """The packages and what their installed versions need, which differs from version to version.

    Takes and gives import names; one that is not installed here stays as it is.
    """
    distributions = installed()
    wanted = {found for name in names for found in distributions.get(name, [])}
    seen: set[str] = set()
    while wanted - seen:
        name = min(wanted - seen)
        seen.add(name)
        wanted |= {normal(need) for need in requirements(name)}
    modules = {
        module
        for module, owners in distributions.items()
        if any(normal(owner) in {normal(one) for one in seen} for owner in owners)
    }
    return names | frozenset(modules)


@functools.cache
def installed() -> Mapping[str, list[str]]:
    """Import name to the distributions that bring it, as `importlib.metadata` knows it, which
    parses the whole metadata of each: ten times as long.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    found: dict[str, list[str]] = {}
    for folder in folders().split(os.pathsep):
        for about in sorted(Path(folder).glob("*.dist-info")):
            distribution = about.name.removesuffix(".dist-info").rpartition("-")[0]
            for module in _modules(about):
                found.setdefault(module, []).append(distribution)
    return found


def _modules(about: Path) -> set[str]:
    """The import names of a distribution: those it declares, else those of its files."""
    if (declared := about / "top_level.txt").exists():
        return set(declared.read_text().split())
    if not (record := about / "RECORD").exists():
        return set()
    names = set()
    for line in record.read_text().splitlines():
        first, slash, _ = line.partition(",")[0].partition("/")
        if slash or first.endswith((".py", ".so")):
            names.add(first if slash else first.partition(".")[0])
    return {name for name in names if name.isidentifier() and name != "__pycache__"}


def normal(distribution: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def requirements(distribution: str) -> list[str]:
    """The names that a distribution needs without its extras."""
    try:
        lines = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [
        re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0] for line in lines if "extra" not in line
    ]


def folders() -> str:
    """Where packages are installed, joined by `os.pathsep`."""
    paths = sysconfig.get_paths()
    return os.pathsep.join(dict.fromkeys((paths["purelib"], paths["platlib"])))
