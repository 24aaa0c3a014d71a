"""What is wrong with a table or its files, in the words that Athena has for it."""

from __future__ import annotations


class TableError(Exception):
    """`code` is Athena's (HIVE_BAD_DATA, NOT_SUPPORTED); services give it their own shape."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def not_emulated(what: str) -> TableError:
    """AWS has it, localaws does not."""
    return TableError("NOT_SUPPORTED", f"localaws does not emulate {what}")
