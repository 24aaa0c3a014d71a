"""What this stand-in does not have, refused by name; what a script may want to know, said."""

from __future__ import annotations

import sys
from typing import Any, NoReturn


class NotEmulated(NotImplementedError, AttributeError):
    """AWS Glue has this, localaws does not; as an attribute it is not there."""


def refuse(name: str, detail: str = "") -> NoReturn:
    raise NotEmulated(f"localaws does not emulate {name}. {detail}".strip())


def only(where: str, given: Any, taken: tuple[str, ...]) -> None:
    """Refuses the first of the given names that is not among those that `where` takes."""
    for name in given:
        if name not in taken:
            refuse(f"{name} in {where}", f"It takes {', '.join(taken)}.")


def warn(text: str) -> None:
    """A line in the run's error log."""
    print(f"WARN awsglue: {text}", file=sys.stderr, flush=True)


class Refused:
    """A name that may be imported (scripts import more than they use) but not used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *arguments: Any, **named: Any) -> NoReturn:
        refuse(self._name)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"{self._name}.{name}")
