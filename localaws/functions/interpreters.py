"""Which Lambda runtimes can run here: Python's and Node's, by interpreters of their versions."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

# docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: those of 2026.
PYTHONS = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
NODES = ("nodejs20.x", "nodejs22.x", "nodejs24.x")
# The runtime whose layer is here. A project's environment of a later Python stands in for it, since
# the layer's packages are installed in that one.
LAYERED = "python3.11"
OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"
# Where version managers keep interpreters that are not on the PATH, below the user's home.
MANAGED = {
    "python": (".pyenv/versions/{version}.*/bin/python{version}",
               ".local/share/uv/python/cpython-{version}.*/bin/python{version}"),
    "node": (".nvm/versions/node/v{version}.*/bin/node",
             ".local/share/fnm/node-versions/v{version}.*/installation/bin/node"),
}  # fmt: skip


def is_node(runtime: str) -> bool:
    return runtime.startswith("nodejs")


@functools.cache
def interpreter(runtime: str, *, layers: bool = False) -> str | None:
    """The runtime's interpreter, or None where this machine has none. It is run once to see
    that it works: a version manager's command of that name may lead nowhere. With `layers` it is
    the one that their packages are installed for."""
    if runtime == OWN or (layers and runtime == LAYERED):
        return sys.executable
    if runtime not in (*PYTHONS, *NODES):
        return None
    kind, version = ("node" if is_node(runtime) else "python"), _version(runtime)
    on_path = shutil.which("node" if is_node(runtime) else runtime)
    places = [*([on_path] if on_path else []), *_managed(kind, version)]
    found = next((place for place in places if _version_of(place, kind) == version), None)
    return found or (sys.executable if runtime == LAYERED else None)


def _version(runtime: str) -> str:
    """3.12 of python3.12, 22 of nodejs22.x."""
    return runtime.removeprefix("python").removeprefix("nodejs").removesuffix(".x")


def _managed(kind: str, version: str) -> list[str]:
    return [
        str(place)
        for form in MANAGED[kind]
        for place in sorted(Path.home().glob(form.format(version=version)), reverse=True)
    ]


def _version_of(place: str, kind: str) -> str | None:
    asked = ["-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    command = [place, *(asked if kind == "python" else ["--version"])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    told = done.stdout.strip()
    if kind == "python":
        return told
    major = re.fullmatch(r"v(\d+)\..*", told)
    return major[1] if major else None


def how_to_get(runtime: str) -> str:
    """What to tell who asks for a runtime that is not here."""
    here = ", ".join(name for name in (*PYTHONS, *NODES) if interpreter(name) is not None)
    if runtime not in (*PYTHONS, *NODES):
        return f"It runs {here}."
    version = _version(runtime)
    how = f"nvm install {version}" if is_node(runtime) else f"uv python install {version}"
    return (
        f"There is no {runtime} on this machine (install it, for example `{how}`, and start the"
        f" local AWS again). It runs {here}."
    )
