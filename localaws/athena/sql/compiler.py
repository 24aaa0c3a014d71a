"""The compiler: what it remembers of a statement, and the rule for each kind of syntax node.

Rules register themselves with `@compiles` (expressions) and `@compiles_query` (queries) and call
the compiler for what is inside them, so that no file of rules has to know another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlglot import exp

from . import types as t
from .errors import QueryError, not_emulated
from .scope import Column, Scope
from .sources import Environment, Scan, Tables, renamed
from .values import Source, Value

Selected = tuple[str, tuple[Column, ...]]  # a query's text and its columns
Rule = Callable[["Compiler", Any, Scope], Value]
QueryRule = Callable[["Compiler", Any, Scope | None], Selected]
_RULES: dict[type[exp.Expression], Rule] = {}
_QUERY_RULES: dict[type[exp.Expression], QueryRule] = {}


def compiles(*kinds: type[Any]) -> Callable[[Rule], Rule]:
    """Registers how an expression of these kinds becomes a Value."""

    def register(rule: Rule) -> Rule:
        _RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return register


def compiles_query(*kinds: type[Any]) -> Callable[[QueryRule], QueryRule]:
    """Registers how a query of these kinds becomes text and columns."""

    def register(rule: QueryRule) -> QueryRule:
        _QUERY_RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return register


class Compiler:
    """One statement being compiled."""

    def __init__(self, tables: Tables, database: str | None) -> None:
        self.tables = tables
        self.scans: list[Scan] = []
        self.windows: dict[str, exp.Window] = {}
        self.environment = Environment(database, {})
        self.reading: set[Source] = set()  # the sources (Column.source) that are read here
        self.items: dict[Source, set[Source]] = {}  # what an output column of a subquery reads
        self._numbers = 0

    def compile(self, node: Any, scope: Scope) -> Value:
        """Raises QueryError for what Trino refuses and for what this engine lacks."""
        rule = _RULES.get(type(node))
        try:
            if rule is None:
                shown = node.sql("trino")[:80]
                raise not_emulated(f"the expression {type(node).__name__} ({shown})")
            return rule(self, node, scope)
        except QueryError as error:
            if error.message.startswith("line "):
                raise
            raise QueryError(error.code, error.message, node) from None

    def condition(self, node: Any, scope: Scope, clause: str) -> str:
        """A boolean expression (WHERE, HAVING, ON)."""
        value = self.compile(node, scope)
        if value.type not in (t.BOOLEAN, t.UNKNOWN):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{clause} must evaluate to a boolean: actual type {value.type}",
                node,
            )
        return value.sql

    def query(self, node: Any, outer: Scope | None) -> Selected:
        """The text and columns of a SELECT, set operation, VALUES or parenthesised query."""
        rule = _QUERY_RULES.get(type(node))
        if rule is None:
            raise not_emulated(f"the query {type(node).__name__}", node)
        before = self.environment
        try:
            with_ = self._with(node.args.get("with_"), outer)
            sql, columns = rule(self, node, outer)
            return with_ + sql, columns
        finally:
            self.environment = before

    def fresh(self, letter: str) -> str:
        self._numbers += 1
        return f"{letter}{self._numbers}"

    @contextmanager
    def collecting(self, into: set[Source]) -> Iterator[None]:
        """What is read inside is noted apart."""
        outside, self.reading = self.reading, into
        try:
            yield
        finally:
            self.reading = outside

    def _with(self, node: exp.With | None, outer: Scope | None) -> str:
        if node is None:
            return ""
        if node.args.get("recursive"):
            raise not_emulated("WITH RECURSIVE", node)
        parts = []
        for cte in node.expressions:
            sql, columns = self.query(cte.this, outer)
            alias = self.fresh("w")
            columns = renamed(columns, cte.args.get("alias"), cte)
            parts.append(f"{alias} AS ({sql})")
            env = self.environment
            ctes = {**env.ctes, cte.alias.lower(): (alias, columns)}
            self.environment = Environment(env.database, ctes, env.views)
        return "WITH " + ", ".join(parts) + " "


def name_parts(node: exp.Expression) -> tuple[str, ...]:
    """A dotted name, lower-cased as Trino compares them."""
    if isinstance(node, exp.Dot):
        return (*name_parts(node.this), node.expression.name.lower())
    if isinstance(node, exp.Column):
        return tuple(part.name.lower() for part in node.parts)
    if isinstance(node, exp.Identifier):
        return (node.name.lower(),)
    raise TypeError(f"{type(node).__name__} is not a name")
