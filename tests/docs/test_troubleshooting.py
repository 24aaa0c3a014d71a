"""What docs/troubleshooting.md says the program says, the program says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.exceptions
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
FOLDERS = (
    "rebuy", "configuration", "infrastructure", "tasks", "executions", "inference", "training",
    "localaws",
)  # fmt: skip
HEADINGS = re.findall(r"^### (?:`` (.+) ``|`(.+)`)$", PAGE.read_text(), re.MULTILINE)
VALUE = "\0"  # in place of what a text is filled with


@cache
def texts() -> list[str]:
    """Every text of the code, with VALUE where it is filled in; names of errors are texts too."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    files += [Path(botocore.exceptions.__file__), ROOT / "tools" / "install.py"]
    return [(ROOT / "tools" / "environment.sh").read_text(), *_texts(files)]


def _texts(files: list[Path]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else VALUE for p in node.values)
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{\w+\}", VALUE, node.value)
            elif isinstance(node, ast.ClassDef):
                yield node.name


def said(heading: str) -> bool:
    pattern = re.escape(heading).replace(re.escape("..."), ".*")
    return any(re.search(pattern, text) for text in texts())


@pytest.mark.parametrize("heading", ["".join(either) for either in HEADINGS])
def test_the_program_says_so(heading: str) -> None:
    assert said(heading), f"nothing in the code says {heading!r}"


def test_what_it_does_not_say_is_noticed() -> None:
    assert not said("No local AWS runs on ...; begin it with `rebuy local up`.")
    assert len(HEADINGS) > 25
