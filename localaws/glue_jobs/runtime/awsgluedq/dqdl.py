"""DQDL, AWS's language of data quality rules, as a list of rules.

https://docs.aws.amazon.com/glue/latest/dg/dqdl.html; the grammar is the public one of awslabs/dqdl.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from awsglue.refusal import refuse, warn

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*)?\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][\w.]*)
    | (?P<variable>\$[A-Za-z_]\w*)
    | (?P<sign>>=|<=|!=|[><=(){}\[\],:+*/-])
    )""",
    re.VERBOSE,
)
_COMPARE = (">", ">=", "<", "<=", "=", "!=")
_CONDITION = (*_COMPARE, "between", "not", "in", "matches")
_WORDS = (*_CONDITION, "where", "labels", "with", "and", "or", "of")  # no names of columns
WORDS = {"null": None, "NULL": None, "EMPTY": "", "empty": ""}
BLANK = ("WHITESPACES_ONLY", "whitespaces_only")
UNITS = {"minutes": 1, "minute": 1, "hours": 60, "hour": 60, "days": 1440, "day": 1440}


class ParsingError(Exception):
    """As AWS words it; what is wrong with a ruleset."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Parsing Error: {message}")


@dataclass(frozen=True)
class Now:
    """`now()`, less some minutes."""

    minutes: int = 0


@dataclass(frozen=True)
class Duration:
    minutes: int


@dataclass(frozen=True)
class Blank:
    """WHITESPACES_ONLY."""


@dataclass(frozen=True)
class Condition:
    """`sign` is a comparison, between, in or matches."""

    sign: str
    operands: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Rule:
    """A rule as it was written, with single spaces, and in parts."""

    kind: str
    text: str
    parameters: tuple[str, ...] = ()
    condition: Condition | None = None
    where: str | None = None
    threshold: Condition | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Composite:
    """`(a) and (b)`, or with or."""

    sign: str
    rules: tuple[Rule | Composite, ...]
    text: str


def parse(ruleset: str) -> list[Rule | Composite]:
    """The rules. Raises ParsingError. Analyzers, which change no outcome, are read and left out."""
    return _Parser(_tokens(ruleset)).ruleset()


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if re.fullmatch(r"\s*#[^\n]*", text[at:]):
                break
            line = text.count("\n", 0, at) + 1
            raise ParsingError(
                f"line {line}:{at - text.rfind(chr(10), 0, at) - 1} {text[at : at + 20]}"
            )
        found.append(match[match.lastgroup or 0])
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = tokens, 0
        self._variables: dict[str, Any] = {}

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next()
        if not token or (wanted and token.lower() != wanted):
            raise ParsingError(f"found {token or 'the end'!r} where {wanted or 'more'!r} belongs")
        self._at += 1
        return token

    def ruleset(self) -> list[Rule | Composite]:
        rules: list[Rule | Composite] | None = None
        while self._next():
            name = self._take()
            self._take("=")
            if name == "Rules":
                rules = self._list(self._rule)
            elif name == "Analyzers":
                rules = rules or []
                if analyzers := self._list(self._analyzer):
                    names = ", ".join(analyzer.text for analyzer in analyzers)
                    warn(f"Analyzers of DQDL gather no statistics here: {names}")
            elif name in ("Metadata", "DataSources", "DefaultLabels"):
                self._skip()
            else:
                self._variables[f"${name}"] = (
                    self._list(self._operand) if self._next() == "[" else self._operand()
                )
        if rules is None:
            raise ParsingError("No rules or analyzers provided.")
        return rules

    def _list(self, one: Any) -> list[Any]:
        self._take("[")
        found = []
        while self._next() != "]":
            found.append(one())
            if self._next() != "]":
                self._take(",")
        self._take("]")
        return found

    def _skip(self) -> None:
        depth = 0
        while True:
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(self._take(), 0)
            if depth == 0:
                return

    def _rule(self) -> Rule | Composite:
        """Rules with or between them, and binding closer."""
        return self._joined("or", lambda: self._joined("and", self._single))

    def _joined(self, sign: str, part: Callable[[], Rule | Composite]) -> Rule | Composite:
        parts = [part()]
        while self._next().lower() == sign:
            self._take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        text = f" {sign.upper()} ".join(f"({each.text})" for each in parts)
        return Composite(sign, tuple(parts), text)

    def _single(self) -> Rule | Composite:
        if self._next() != "(":
            return self._simple()
        self._take("(")
        found = self._rule()
        self._take(")")
        return found

    def _analyzer(self) -> Rule:
        begin = self._at
        kind, parameters = self._take(), self._parameters()
        return Rule(kind, _spaced(self._tokens[begin : self._at]), tuple(parameters))

    def _parameters(self) -> list[str]:
        """Texts, variables and bare names; `of` and `and` may stand before one."""
        found: list[str] = []
        while True:
            joined = self._next().lower() in ("of", "and")
            following = self._tokens[self._at + joined : self._at + joined + 1]
            token = following[0] if following else ""
            bare = re.fullmatch(r"[A-Za-z_][\w.]*", token) and token.lower() not in _WORDS
            if not token.startswith(('"', "$")) and not (bare and not joined):
                return found
            self._at += joined + 1
            value = (
                self._variable(token) if token[0] == "$" else _text(token) if not bare else token
            )
            found += value if isinstance(value, list) else [value]

    def _simple(self) -> Rule:
        begin = self._at
        kind, parameters = self._take(), self._parameters()
        condition = self._condition() if self._next() in _CONDITION else None
        where = threshold = None
        tags: dict[str, str] = {}
        if self._next() == "where":
            self._take()
            where = _text(self._take())
        if self._next() == "labels":
            self._take()
            self._take("=")
            self._skip()
        while self._next() == "with":
            self._take()
            name = self._take()
            if name == "threshold":
                threshold = self._condition()
            else:
                self._take("=")
                tags[name] = _text(self._take())
        text = _spaced(self._tokens[begin : self._at])
        return Rule(kind, text, tuple(parameters), condition, where, threshold, tags)

    def _variable(self, token: str) -> Any:
        if token not in self._variables:
            raise ParsingError(f"Variable {token} is not defined")
        return self._variables[token]

    def _condition(self) -> Condition:
        negated = self._next() == "not"
        if negated:
            self._take()
        sign = self._take()
        if sign == "between":
            low = self._operand()
            self._take("and")
            return Condition(sign, (low, self._operand()), negated)
        if sign == "in":
            if self._next().startswith("$"):
                value = self._variable(self._take())
                return Condition(sign, tuple(value), negated)
            return Condition(sign, tuple(self._list(self._operand)), negated)
        if sign not in (*_COMPARE, "matches"):
            raise ParsingError(f"{sign!r} is no condition")
        operand = self._operand()
        if isinstance(operand, list):
            raise ParsingError(f"a list stands after {sign!r}")
        return Condition(sign, (operand,), negated)

    def _operand(self) -> Any:
        token = self._take()
        if token.startswith('"'):
            return _text(token)
        if token.startswith("$"):
            return self._variable(token)
        if token in WORDS:
            return WORDS[token]
        if token in BLANK:
            return Blank()
        if token == "now":
            self._take("(")
            self._take(")")
            return Now()
        if token == "(":
            found = self._operand()
            if isinstance(found, Now) and self._next() == "-":
                self._take()
                found = Now(self._operand().minutes)
            self._take(")")
            return found
        if re.fullmatch(r"-?\d+(\.\d+)?", token):
            if self._next() in UNITS:
                return Duration(int(token) * UNITS[self._take()])
            if self._next() in ("+", "-", "*", "/"):
                refuse("arithmetic in a condition of DQDL", "Give the number.")
            return float(token)
        return refuse(f"{token} in a condition of DQDL", "It compares with numbers, texts, dates.")


def _text(token: str) -> str:
    if not token.startswith('"'):
        raise ParsingError(f"{token!r} is no text in quotes")
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if '\\"' in token else token[1:-1]


def _spaced(tokens: Sequence[str]) -> str:
    """The rule in the parser's normal form: single spaces, none inside brackets."""
    found, inside = "", False
    for token in tokens:
        if found and not inside and token not in ("]", ")", ",") and not found.endswith("("):
            found += " "
        found += token
        inside = token == "[" or (inside and token != "]")
    return found
