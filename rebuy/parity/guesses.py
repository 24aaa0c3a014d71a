"""What the code had to guess of AWS: comments of the form

    # GUESSED: what is guessed, and what is known instead
    #     on more lines, deeper, where one is not enough

anywhere in the packages. An account answers them one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("localaws", "tasks", "infrastructure", "executions", "training", "inference", "rebuy")
MARK = re.compile(r"(?:^|.*\s)# GUESSED: (.+)")
MORE = re.compile(r"\s*#     ?(\S.*)")


@dataclass(frozen=True)
class Guess:
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def guesses(root: Path = ROOT) -> Iterator[Guess]:
    """In the order of files and lines."""
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            if file != Path(__file__).resolve():
                yield from _of_file(file.relative_to(root).as_posix(), file.read_text())


def _of_file(name: str, text: str) -> Iterator[Guess]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if (mark := MARK.fullmatch(line)) is None:
            continue
        words = [mark[1]]
        for more in lines[number + 1 :]:
            if (found := MORE.fullmatch(more)) is None:
                break
            words.append(found[1])
        yield Guess(name, number + 1, " ".join(words))
