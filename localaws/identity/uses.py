"""What was asked of policies, and what they answered: for `rebuy iam report`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from localaws.identity.policy.request import Value
from localaws.shapes import Json

FILE = "authorizations.jsonl"  # in the home
MOST = 50_000  # different ones; of more, the oldest are forgotten
WRITE_SECONDS = 2.0
# Keys that are not the same at each call, or that the others say already: not kept.
PASSING = (
    *("aws:currenttime", "aws:epochtime", "aws:userid", "aws:principalarn"),
    *("aws:principaltype", "aws:tokenissuetime"),
)


@dataclass(frozen=True)
class Use:
    """One request, however often it was made. `principal` is a role's or user's ARN, or a
    service's principal; `refusal` the words of a refusal, None for what was allowed."""

    principal: str
    action: str
    resource: str
    keys: tuple[tuple[str, Value], ...]
    refusal: str | None = None

    def context(self) -> dict[str, Value]:
        return dict(self.keys)


class Uses:
    """All requests of a home but those of its administrator, in a file for its owner alone."""

    def __init__(self, file: Path | None, write: Callable[[Path, str], None]) -> None:
        self._file = file
        self._write = write
        self._lock = threading.Lock()
        self._counts: dict[Use, int] = {}
        self._timer: threading.Timer | None = None
        if file is not None and file.exists():
            self._counts = dict(read(file))

    def note(self, use: Use) -> None:
        with self._lock:
            self._counts[use] = self._counts.get(use, 0) + 1
            if len(self._counts) > MOST:
                del self._counts[next(iter(self._counts))]
            if self._file is not None and self._timer is None:
                self._timer = threading.Timer(WRITE_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def all(self) -> dict[Use, int]:
        """Each use and how often it was made."""
        with self._lock:
            return dict(self._counts)

    def flush(self) -> None:
        """Writes the file."""
        with self._lock:
            timer, self._timer = self._timer, None
            counts = dict(self._counts)
        if timer is not None:
            timer.cancel()
        if self._file is not None:
            self._write(self._file, dump(counts.items()))


def kept_keys(context: dict[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted((key, value) for key, value in context.items() if key not in PASSING))


def dump(counts: Iterable[tuple[Use, int]]) -> str:
    """One use a line, as JSON."""
    return "".join(
        json.dumps({**asdict(use), "keys": dict(use.keys), "count": count}) + "\n"
        for use, count in counts
    )


def read(file: Path) -> list[tuple[Use, int]]:
    """Uses and their counts, of a file that `dump` made."""
    return [_use(json.loads(line)) for line in file.read_text().splitlines()]


def _use(line: Json) -> tuple[Use, int]:
    keys = tuple(
        (key, tuple(value) if isinstance(value, list) else value)
        for key, value in sorted(line["keys"].items())
    )
    use = Use(line["principal"], line["action"], line["resource"], keys, line["refusal"])
    return use, line["count"]
