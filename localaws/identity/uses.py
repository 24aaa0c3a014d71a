"""What was asked of policies, and what they answered: for `rebuy iam report`, and for who follows a
run."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localaws.identity.policy.request import Value
from localaws.shapes import Json

FILE = "authorizations.jsonl"  # in the home
MOST = 50_000  # different ones; of more, the oldest are forgotten
WRITE_SECONDS = 2.0
TELL_SECONDS = 0.2  # a refusal is looked for at the end of a run
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


@dataclass(frozen=True)
class Seen:
    """How often a request was made, and when last, in seconds since 1970."""

    count: int
    last_at: float


class Uses:
    """All requests of a home but those of its administrator, in a file for its owner alone."""

    def __init__(
        self,
        file: Path | None,
        write: Callable[[Path, str], None],
        now: Callable[[], datetime],
    ) -> None:
        self._file = file
        self._write = write
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[Use, Seen] = {}
        self._timer: threading.Timer | None = None
        self._due = 0.0  # when the file is written next, by the monotonic clock
        if file is not None and file.exists():
            self._seen = dict(read(file))

    def note(self, use: Use) -> None:
        with self._lock:
            before = self._seen.get(use)
            self._seen[use] = Seen(before.count + 1 if before else 1, self._now().timestamp())
            if len(self._seen) > MOST:
                del self._seen[next(iter(self._seen))]
            if self._file is not None:
                self._write_within(WRITE_SECONDS if use.refusal is None else TELL_SECONDS)

    def all(self) -> dict[Use, int]:
        """Each use and how often it was made."""
        with self._lock:
            return {use: seen.count for use, seen in self._seen.items()}

    def flush(self) -> None:
        """Writes the file."""
        with self._lock:
            timer, self._timer = self._timer, None
            seen = dict(self._seen)
        if timer is not None:
            timer.cancel()
        if self._file is not None:
            self._write(self._file, dump(seen.items()))

    def _write_within(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = threading.Timer(seconds, self.flush)
        self._timer.daemon = True
        self._timer.start()


def kept_keys(context: dict[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted((key, value) for key, value in context.items() if key not in PASSING))


def dump(seen: Iterable[tuple[Use, Seen]]) -> str:
    """One use a line, as JSON."""
    return "".join(
        f'{_text(use)}, "count": {of_use.count}, "last_at": {of_use.last_at}}}\n'
        for use, of_use in seen
    )


@functools.lru_cache(MOST)  # all are written again and again
def _text(use: Use) -> str:
    """The beginning of its line, which stays as it is."""
    about = {name: getattr(use, name) for name in ("principal", "action", "resource", "refusal")}
    return json.dumps({**about, "keys": dict(use.keys)})[:-1]


def read(file: Path) -> list[tuple[Use, Seen]]:
    """Uses, and how often they were made, of a file that `dump` made."""
    return [_use(json.loads(line)) for line in file.read_text().splitlines()]


def counts(file: Path) -> dict[Use, int]:
    """How often each use was made."""
    return {use: seen.count for use, seen in read(file)}


def refused_between(file: Path, first: float, last: float) -> list[Use]:
    """What was refused for the last time between two moments (seconds since 1970), in order."""
    found = [(seen.last_at, use) for use, seen in read(file) if use.refusal]
    return [use for at, use in sorted(found, key=lambda one: one[0]) if first <= at <= last]


def _use(line: Json) -> tuple[Use, Seen]:
    keys = tuple(
        (key, tuple(value) if isinstance(value, list) else value)
        for key, value in sorted(line["keys"].items())
    )
    use = Use(line["principal"], line["action"], line["resource"], keys, line["refusal"])
    return use, Seen(line["count"], line.get("last_at", 0.0))  # an older home has none
