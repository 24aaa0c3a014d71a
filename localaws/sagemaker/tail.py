"""New lines of a log file that a child process writes."""

from __future__ import annotations

from pathlib import Path


class Tail:
    """Reads a growing file; a line is given once it is complete."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = file.stat().st_size if file.exists() else 0
        self._rest = b""

    def lines(self, *, last: bool = False) -> list[str]:
        """The lines since the call before; with `last` also one without its end."""
        try:
            with self._file.open("rb") as log:
                log.seek(self._at)
                fresh = log.read()
        except FileNotFoundError:
            return []
        self._at += len(fresh)
        *whole, self._rest = (self._rest + fresh).split(b"\n")
        if last and self._rest:
            whole.append(self._rest)
            self._rest = b""
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in whole]
