"""docs/clients.md, line by line: each client's section runs against a local AWS.

Clients that are heavy are not in this environment; their sections run where they are found:
programs on PATH, Python's libraries by CLIENTS_PYTHON. The page says how to get all of them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rebuy.cli import local, local_env

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/clients.md").read_text()
WATCHED = Path(__file__).with_name("watched")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|//|--) ([\w/.]+\.(?:py|yml|yaml|js|sql))\n")
PYTHON = os.environ.get("CLIENTS_PYTHON", sys.executable)
# What a section's client must find: a program, or a library of PYTHON.
PROGRAMS = {"dbt": "dbt", "AWS CDK": "cdk", "AWS SAM": "sam"}
LIBRARIES = {
    "polars, deltalake and s3fs": ("polars", "deltalake", "s3fs"),
    "PyAthena": ("pyathena", "sqlalchemy"),
}
# What a client asks for that no setting of its own keeps it from.
ASKS = {"AWS SAM": {"pypi.org"}}
SILENT = {
    "CI": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SAM_CLI_TELEMETRY": "0",
}


@dataclass(frozen=True)
class Section:
    """A client's part of the page: its blocks, (language, text), in their order."""

    title: str
    blocks: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.title


def sections() -> Iterator[Section]:
    """The clients' own, without what stands before them and the tests of others' projects."""
    for part in PAGE.split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        blocks = tuple(BLOCK.findall(text))
        if blocks and title != "In other projects' tests":
            yield Section(title, blocks)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A local AWS as `rebuy local up` starts it, in a folder whose name needs quotes."""
    folder = tmp_path_factory.mktemp("it's a päth") / "home"
    local.up(folder, 0, 0)
    yield folder
    local.down(folder)


def missing(section: Section) -> str | None:
    """What the section's client lacks on this machine."""
    program = PROGRAMS.get(section.title)
    if program is not None and shutil.which(program) is None:
        return program
    for library in LIBRARIES.get(section.title, ()):
        if subprocess.run([PYTHON, "-c", f"import {library}"], capture_output=True).returncode:
            return library
    return None


@pytest.mark.parametrize("section", sections(), ids=str)
def test_a_client_does_what_the_page_shows(home: Path, tmp_path: Path, section: Section) -> None:
    if (lacking := missing(section)) is not None:
        pytest.skip(f"{lacking} is not on this machine")
    shutil.copy(ROOT / "setup.py", tmp_path)
    program = shutil.which("cdk")
    if program is not None:
        modules = Path(program).resolve()
        (tmp_path / "node_modules").symlink_to(
            next(folder for folder in modules.parents if folder.name == "node_modules")
        )
    lines = [local_env.lines(home, "sh"), "set -e"]
    for number, (language, text) in enumerate(section.blocks):
        named = FILE.match(text)
        if named is not None:
            file = tmp_path / named[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        elif language == "python":
            (tmp_path / f"block{number}.py").write_text(text)
            python = PYTHON if section.title in LIBRARIES else sys.executable
            lines.append(f"{shlex.quote(python)} -W ignore block{number}.py")
        else:
            lines.append(text)
    names = tmp_path / "names"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env={
            "PATH": path,
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(WATCHED),
            "NAMES_LOOKED_UP": str(names),
            **SILENT,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    # Nothing leaves the machine: no telemetry, no question to AWS's own STS.
    asked = set(names.read_text().split()) if names.exists() else set()
    assert asked <= ASKS.get(section.title, set())
