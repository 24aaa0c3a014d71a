"""Regular expressions that users write: each look at a text ends in time, whatever they say."""

from __future__ import annotations

from typing import Any

import regex  # type: ignore[import-untyped]

SECONDS = 1.0  # for one text
ASCII, DOTALL = regex.ASCII, regex.DOTALL


class BadExpression(ValueError):
    """It is none, or takes too long; the message says which."""


class Expression:
    """Raises BadExpression for a text that is no regular expression."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self.text = text
        try:
            self._program = regex.compile(text, flags)
        except (regex.error, RecursionError, OverflowError) as error:
            raise BadExpression(f"{text!r} is no regular expression: {error}") from None
        self.groups: int = self._program.groups

    def fullmatch(self, text: str) -> tuple[str, ...] | None:
        """What the groups hold; None where not all of the text fits. Raises BadExpression."""
        found = self._look(self._program.fullmatch, text)
        return None if found is None else found.groups("")

    def found_in(self, text: str) -> bool:
        """Raises BadExpression."""
        return self._look(self._program.search, text) is not None

    def _look(self, how: Any, text: str) -> Any:
        try:
            # Others go on meanwhile.
            return how(text, timeout=SECONDS, concurrent=True)
        except TimeoutError:
            raise BadExpression(f"{self.text!r} takes longer than {SECONDS:g} s") from None
