"""The compiler: what it remembers of a statement, and the rule for each kind of syntax node.

Rules register themselves with `@compiles` (expressions) and `@compiles_query` (queries) and call
the compiler for what is inside them, so that no file of rules has to know another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.values import Source, Value

from .grammar import Unread, nodes, written
from .scope import Column, Scope
from .sources import Environment, Scan, Tables

Selected = tuple[str, tuple[Column, ...]]  # a query's text and its columns
Rule = Callable[["Compiler", Any, Scope], Value]
QueryRule = Callable[["Compiler", Any, Scope | None], Selected]
_RULES: dict[type[exp.Expression], Rule] = {}
_QUERY_RULES: dict[type[exp.Expression], QueryRule] = {}


_TAKES: dict[type[exp.Expr], set[str]] = {}


def structure(*kinds: type[Any], takes: tuple[str, ...] = ()) -> None:
    """Says which arguments of nodes of these kinds are read. What nobody reads is refused."""
    for kind in kinds:
        unknown = set(takes) - set(kind.arg_types)
        assert not unknown, f"{kind.__name__} has no {unknown}"
        _TAKES.setdefault(kind, set()).update(takes)


def compiles(*kinds: type[Any], takes: tuple[str, ...] = ()) -> Callable[[Rule], Rule]:
    """Registers how an expression of these kinds becomes a Value, and what the rule reads of it."""

    def register(rule: Rule) -> Rule:
        structure(*kinds, takes=takes)
        _RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return register


def compiles_query(*kinds: type[Any], takes: tuple[str, ...]) -> Callable[[QueryRule], QueryRule]:
    """Registers how a query of these kinds becomes text and columns, and what the rule reads."""

    def register(rule: QueryRule) -> QueryRule:
        structure(*kinds, takes=takes)
        _QUERY_RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return register


def refuse_unread(tree: exp.Expr) -> None:
    """Raises QueryError (NOT_SUPPORTED) for a node without a rule and for an argument that its
    rule does not read: what is not understood must not be dropped."""
    for node in nodes(tree):
        taken = _TAKES.get(type(node))
        if taken is None:
            raise not_emulated(_shown(node), node)
        for argument, value in node.args.items():
            if argument in taken or (value is False and (type(node), argument) in _SAID_BY_NOBODY):
                continue
            if value not in (None, [], ""):
                raise not_emulated(f"{words(argument, value)} in {_shown(node)}", node)


# What the parser sets to False where nothing was written; elsewhere False says something.
_SAID_BY_NOBODY = {
    (exp.Array, "value_constructor"), (exp.Div, "safe"), (exp.Lateral, "ordinality"),
    (exp.Lateral, "outer"), (exp.Lateral, "view"), (exp.LimitOptions, "percent"),
}  # fmt: skip
# What the parser calls otherwise than SQL does.
_WORDS = {
    "by_name": "CORRESPONDING", "sample": "TABLESAMPLE", "pivots": "PIVOT", "locks": "FOR UPDATE",
    "cluster": "CLUSTER BY", "distribute": "DISTRIBUTE BY", "sort": "SORT BY",
    "connect": "CONNECT BY", "match": "MATCH_RECOGNIZE", "laterals": "LATERAL VIEW",
}  # fmt: skip


def words(argument: str, value: Any) -> str:
    """An argument in SQL's words: `CORRESPONDING` of a union."""
    if isinstance(value, str):
        return value.upper()
    return _WORDS.get(argument, argument.strip("_").replace("_", " ").upper())


# What the parser reads as something else, since other engines write it so.
_SHOWN: dict[type[exp.Expr], str] = {
    exp.Slice: "a slice of an array, [from:to]",
    exp.JSONExtract: "a lambda that is no argument of a function",
}


def _shown(node: exp.Expr) -> str:
    if isinstance(node, Unread):
        return str(node.this.name)
    return _SHOWN.get(type(node)) or written(node)[:80]


structure(exp.With, takes=("expressions", "recursive"))
structure(exp.TableAlias, takes=("this", "columns"))
structure(exp.Identifier, takes=("this", "quoted"))
structure(exp.DataType, takes=("this", "expressions", "nested", "kind"))
structure(exp.DataTypeParam, takes=("this",))
structure(exp.ColumnDef, takes=("this", "kind"))
structure(exp.Var, takes=("this",))
# What the parser notes of its own dialect: the same in every statement.
structure(exp.Div, takes=("typed",))
structure(exp.TryCast, takes=("safe", "requires_string"))
structure(exp.DPipe, takes=("safe",))


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
                raise not_emulated(_shown(node))
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

    def statement(self, tree: exp.Expression) -> Selected:
        """The whole query of a statement or of a view."""
        refuse_unread(tree)
        return self.query(tree, None)

    def query(self, node: Any, outer: Scope | None) -> Selected:
        """The text and columns of a SELECT, set operation, VALUES or parenthesised query."""
        rule = _QUERY_RULES.get(type(node))
        if rule is None:
            raise not_emulated(f"the query {_shown(node)}", node)
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

    def read_whole(self, columns: tuple[Column, ...]) -> None:
        """Every column of a subquery decides the value that it is compared for."""
        self.reading |= {column.source for column in columns if column.source}

    def name(self, label: str, alias: str, columns: tuple[Column, ...]) -> None:
        """From here on the label means the common table expression `alias`."""
        env = self.environment
        ctes = {**env.ctes, label: (alias, columns)}
        self.environment = Environment(env.database, ctes, env.views)

    def _with(self, node: exp.With | None, outer: Scope | None) -> str:
        if node is None:
            return ""
        parts = []
        names = [cte.alias.lower() for cte in node.expressions]
        for place, cte in enumerate(node.expressions):
            if names[place] in names[:place]:
                raise QueryError(
                    "DUPLICATE_NAMED_QUERY",
                    f"WITH query name '{names[place]}' specified more than once",
                    cte,
                )
            sql, columns = self.query(cte, outer)
            alias = self.fresh("w")
            parts.append(f"{alias} AS ({sql})")
            self.name(cte.alias.lower(), alias, columns)
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
