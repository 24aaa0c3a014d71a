"""Words of a Hive-style statement, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from localaws.athena.sql.parsing import SyntaxMistake
from localaws.trino.errors import place_in

T = TypeVar("T")
_TOKEN = re.compile(
    r"\s+|--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")|(?P<tick>`(?:[^`]|``)*`)"
    r"|(?P<word>[A-Za-z0-9_$]+)|(?P<sign>.)",
    re.DOTALL,
)
# As Hive's BaseSemanticAnalyzer.unescapeSQLString has them: \u0001, \001, \n and any other letter.
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([01][0-7]{2})|(.))")


@dataclass(frozen=True)
class Token:
    kind: str  # text, tick, word, sign, end
    value: str
    start: int
    raw: str = ""

    @property
    def upper(self) -> str:
        return (
            self.value.upper() if self.kind == "word" else self.value if self.kind == "sign" else ""
        )


def tokens(sql: str) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup
        if kind is None:
            continue
        raw = match.group()
        value = raw
        if kind == "text":
            value = _ESCAPE.sub(_escape, raw[1:-1].replace("''", "'"))
        elif kind == "tick":
            value = raw[1:-1].replace("``", "`")
        found.append(Token(kind, value, match.start(), raw))
    while found and found[-1].value == ";" and found[-1].kind == "sign":
        found.pop()
    return [*found, Token("end", "<EOF>", len(sql))]


def _escape(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2], 8))
    return {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(match[3], match[3])


class Reader:
    """A cursor over the tokens of one statement."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokens(sql)
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, *words: str) -> bool:
        """Moves past the words if they come next."""
        if all(
            self.tokens[min(self.at + i, len(self.tokens) - 1)].upper == word
            for i, word in enumerate(words)
        ):
            self.at += len(words)
            return True
        return False

    def need(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise self.wrong(word)

    def wrong(self, *expected: str) -> SyntaxMistake:
        line, column = place_in(self.sql, self.next.start)
        return SyntaxMistake(
            f"line {line}:{column}: mismatched input '{self.next.raw or self.next.value}'. "
            f"Expecting: {', '.join(repr(word) for word in expected)}"
        )

    def name(self) -> str:
        """An identifier, lower-cased."""
        token = self.next
        if token.kind not in ("word", "tick") and not (
            token.kind == "text" and token.raw.startswith('"')
        ):
            raise self.wrong("<identifier>")
        self.at += 1
        return token.value.lower()

    def qualified(self) -> tuple[str | None, str]:
        """(database, name); an `awsdatacatalog.` in front is accepted."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) == 3 and parts[0] == "awsdatacatalog":
            parts = parts[1:]
        if len(parts) > 2:
            raise self.wrong("<database>.<name>")
        return (parts[0] if len(parts) == 2 else None), parts[-1]

    def names(self) -> list[str]:
        """(a, b)"""
        return self.listed(Reader.name)

    def listed(self, one: Callable[[Reader], T], start: str = "(", end: str = ")") -> list[T]:
        """What `one` reads, with commas between and signs around."""
        self.need(start)
        found = [one(self)]
        while self.take(","):
            found.append(one(self))
        self.need(end)
        return found

    def text(self) -> str:
        if self.next.kind != "text":
            raise self.wrong("<string>")
        self.at += 1
        return self.tokens[self.at - 1].value

    def value(self) -> str:
        """A string or number, as text."""
        if self.next.kind == "text":
            return self.text()
        sign = "-" if self.take("-") else ""
        if self.next.kind != "word":
            raise self.wrong("<literal>")
        number = self.next.value
        self.at += 1
        if number.upper() in ("DATE", "TIMESTAMP") and self.next.kind == "text":
            return self.text()
        if self.take("."):
            number += "." + self.next.value
            self.at += 1
        return sign + number

    def pairs(self, key: Callable[[Reader], str] | None = None) -> dict[str, str]:
        """('a' = 'b', ...); `key` reads what stands before the sign, a text if nothing is said."""

        def pair(reader: Reader) -> tuple[str, str]:
            label = (key or Reader.text)(reader)
            reader.need("=")
            return label, reader.value()

        return dict(self.listed(pair))

    def end(self) -> None:
        if self.next.kind != "end":
            raise self.wrong("<EOF>")

    def type(self) -> str:
        """A Hive type, in the catalog's spelling."""
        base = self.next.value.lower()
        if self.next.kind != "word":
            raise self.wrong("<type>")
        self.at += 1
        if base in ("array", "map", "struct") and self.next.upper == "<":
            inner = self.listed(Reader._field if base == "struct" else Reader.type, "<", ">")
            return f"{base}<{','.join(inner)}>"
        if self.next.upper == "(":
            return f"{base}({','.join(self.listed(Reader.value))})"
        if base == "varchar":
            raise SyntaxMistake("varchar type is specified without length")
        if base == "double":
            self.take("PRECISION")
        return {"integer": "int"}.get(base, base)

    def _field(self) -> str:
        label = self.name()
        self.need(":")
        return f"{label}:{self.type()}"

    def columns(self) -> list[dict[str, str]]:
        return self.listed(Reader.column)

    def column(self) -> dict[str, str]:
        column = {"Name": self.name(), "Type": self.type()}
        if self.take("COMMENT"):
            column["Comment"] = self.text()
        return column


def rest(reader: Reader) -> str:
    """What follows, at its own lines and columns."""
    start = reader.next.start
    before = "".join("\n" if letter == "\n" else " " for letter in reader.sql[:start])
    return before + reader.sql[start:]
