"""Which Lambda runtimes can run here: Python ones, each by an interpreter of that very version."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

# docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: the Python runtimes of 2026.
PYTHONS = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"
# Where version managers keep interpreters that are not on the PATH, below the user's home.
MANAGED = (".pyenv/versions/{version}.*/bin/{name}",
           ".local/share/uv/python/cpython-{version}.*/bin/{name}")  # fmt: skip


@functools.cache
def interpreter(runtime: str) -> str | None:
    """The runtime's interpreter, or None where this machine has none. It is run once to see
    that it works: a version manager's command of that name may lead nowhere."""
    if runtime == OWN:
        return sys.executable
    if runtime not in PYTHONS:
        return None
    version = runtime.removeprefix("python")
    on_path = shutil.which(runtime)
    places = [*([on_path] if on_path else []), *_managed(runtime, version)]
    return next((place for place in places if _version_of(place) == version), None)


def _managed(name: str, version: str) -> list[str]:
    return [
        str(place)
        for form in MANAGED
        for place in sorted(Path.home().glob(form.format(name=name, version=version)), reverse=True)
    ]


def _version_of(place: str) -> str | None:
    command = [place, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def how_to_get(runtime: str) -> str:
    """What to tell who asks for a runtime that is not here."""
    here = ", ".join(name for name in PYTHONS if interpreter(name) is not None)
    if runtime not in PYTHONS:
        return f"It runs {here}."
    version = runtime.removeprefix("python")
    return (
        f"There is no {runtime} on this machine (install it, for example `uv python install"
        f" {version}`, and start the local AWS again). It runs {here}."
    )
