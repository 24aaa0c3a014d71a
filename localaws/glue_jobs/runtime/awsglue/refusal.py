"""What this stand-in does not have, refused by name."""

from __future__ import annotations

from typing import Any, NoReturn


class NotEmulated(NotImplementedError):
    """AWS Glue has this, localaws does not."""


def refuse(name: str) -> NoReturn:
    raise NotEmulated(
        f"localaws does not emulate {name}. It has getResolvedOptions, Job and"
        " GlueContext.spark_session; use Spark's DataFrame API."
    )


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
