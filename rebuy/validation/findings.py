"""What is wrong: where, what, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """`file` is a path in the repository, `line` counts from 1 (0: the file as a whole)."""

    file: str
    line: int
    what: str
    mend: str

    def text(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what} {self.mend}".strip()
