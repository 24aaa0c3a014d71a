"""The functions of Athena that this engine has, by their Trino names."""

from __future__ import annotations

from .signatures import Overloads
from .tables.aggregates import AGGREGATES, WINDOWS
from .tables.names import ALIASES, KNOWN_TO_TRINO
from .tables.nested import NESTED
from .tables.numbers import NUMBERS
from .tables.texts import TEXTS

__all__ = ["AGGREGATES", "ALIASES", "KNOWN_TO_TRINO", "SCALARS", "WINDOWS"]

SCALARS: dict[str, Overloads] = {**NUMBERS, **TEXTS, **NESTED}
