"""SELECTs of rules and figures over columns in memory: what Athena would answer, or Unsupported.

Numbers and few words (`columns`) need no engine for what the rules ask of them: comparisons, types
that a text can have, sets, counts, groups. Everything here is as Trino has it for such columns;
whatever it has not, or could have otherwise, is Unsupported, and asked of the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlglot
from sqlglot import exp

from rebuy.data.contract.columns import LARGEST_INT, Numbers, Table, Texts

Json = dict[str, Any]
Array = npt.NDArray[Any]
_DIGITS = re.compile(r"\^\[0-9\]\{1,(\d+)\}\$")
_NUMBER = re.compile(r"[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,9}([.][0-9]{1,9})?")
_WHOLE = (exp.DataType.Type.BIGINT, exp.DataType.Type.INT)
_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: np.equal,
    exp.NEQ: np.not_equal,
    exp.LT: np.less,
    exp.LTE: np.less_equal,
    exp.GT: np.greater,
    exp.GTE: np.greater_equal,
}


class Unsupported(Exception):
    """Nothing that is answered here."""


@dataclass(frozen=True)
class Values:
    """A value a row, or (of size 1) one for all; `null` says where there is none."""

    values: Array
    null: Array

    @property
    def true(self) -> Array:
        return np.asarray(self.values & ~self.null)


Value = Values | Numbers | Texts | tuple[Values, ...]


@dataclass
class Quick:
    """`tables` are those that can be read here, `engine` answers what is asked of other ones."""

    tables: Mapping[str, Table]
    engine: Callable[[str], list[Json]]

    def answers(self, sql: str) -> list[Json]:
        """The rows of a SELECT, by whichever is able to."""
        try:
            return self.rows(sql)
        except Unsupported:
            return self.engine(sql)

    def rows(self, sql: str) -> list[Json]:
        """Raises Unsupported."""
        tree = sqlglot.parse_one(sql, read="athena")
        size, columns = self._select(tree)
        found = {name: _python(value, size) for name, value in columns.items()}
        rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
        if tree.args.get("order") is not None:
            first = tree.expressions[0]
            by = [one.this.sql() for one in tree.args["order"].expressions]
            if by not in (["1"], [first.alias_or_name], [first.unalias().sql()]):
                raise Unsupported
            name = first.alias_or_name
            rows.sort(key=lambda row: (row[name] is None, 0 if row[name] is None else row[name]))
        return rows

    def _select(self, tree: exp.Expr) -> tuple[int, dict[str, Value]]:
        """(rows, columns) of a SELECT from one relation."""
        known = {"kind", "hint", "expressions", "from_", "where", "group", "order"}
        if not isinstance(tree, exp.Select) or any(tree.args[a] for a in set(tree.args) - known):
            raise Unsupported
        source = tree.args["from_"].this
        if isinstance(source, exp.Subquery):
            size, columns = self._select(source.this)
        elif isinstance(source, exp.Table) and source.name in self.tables:
            table = self.tables[source.name]
            size, columns = table.rows, dict(table.columns)
        else:
            raise Unsupported
        where, group = tree.args.get("where"), tree.args.get("group")
        if where is not None:
            size, columns = _kept(self._condition(where.this, columns, size), columns, size)
        scope = _Scope(self, columns, size)
        if group is not None:
            scope = _Groups(self, columns, size, group.expressions)
        elif tree.find(exp.AggFunc) in _aggregates(tree):
            scope = _Whole(self, columns, size)
        found: dict[str, Value] = {}
        for one in tree.expressions:
            if isinstance(one, exp.Star):
                found |= columns
            else:
                found[one.alias_or_name] = scope.of(one.unalias())
        return scope.rows, found

    def _condition(self, tree: exp.Expr, columns: dict[str, Value], size: int) -> Array:
        return np.broadcast_to(_truth(_Scope(self, columns, size).plain(tree)).true, size)

    def members(self, query: exp.Expr) -> Values:
        """The values of `IN (SELECT ...)`."""
        select = query.this if isinstance(query, exp.Subquery) else query
        table = select.find(exp.Table)
        if table is not None and table.name in self.tables:
            _, columns = self._select(select)
            (value,) = columns.values()
            return _plain(value)
        answers = self.engine(select.sql("athena"))
        cells = [next(iter(row.values())) for row in answers]
        if not all(isinstance(cell, int) or cell is None for cell in cells):
            raise Unsupported
        null = np.array([cell is None for cell in cells], bool)
        return Values(np.array([cell or 0 for cell in cells], np.int64), null)


def _aggregates(tree: exp.Select) -> list[exp.Expr]:
    """Those of the SELECT itself, not of what it selects from, or compares with."""
    return [
        found
        for one in tree.expressions
        for found in one.find_all(exp.AggFunc)
        if found.find_ancestor(exp.Select) is tree
    ]


def _kept(keep: Array, columns: dict[str, Value], size: int) -> tuple[int, dict[str, Value]]:
    if keep.all():
        return size, columns

    def one(value: Value) -> Value:
        if isinstance(value, Numbers):
            return Numbers(value.values[keep], value.longest, value.plain)
        if isinstance(value, Texts):
            return Texts(value.codes[keep], value.words)
        raise Unsupported

    return int(keep.sum()), {name: one(value) for name, value in columns.items()}


class _Scope:
    """Expressions over the rows."""

    def __init__(self, quick: Quick, columns: dict[str, Value], size: int) -> None:
        self.quick, self.columns, self.size = quick, columns, size
        self.rows = size
        self._known: dict[str, Value] = {}

    def of(self, tree: exp.Expr) -> Value:
        """What is asked several times is made once."""
        text = tree.sql()
        if text not in self._known:
            self._known[text] = self._of(tree)
        return self._known[text]

    def plain(self, tree: exp.Expr) -> Values:
        return _plain(self.of(tree))

    def _of(self, tree: exp.Expr) -> Value:
        method = _METHODS.get(type(tree))
        if method is not None:
            return method(self, tree)
        if type(tree) in _COMPARED:
            return self._compared(tree)
        raise Unsupported(type(tree).__name__)

    def _column(self, tree: exp.Expr) -> Value:
        if tree.name not in self.columns:
            raise Unsupported
        return self.columns[tree.name]

    def _literal(self, tree: exp.Expr) -> Values:
        if isinstance(tree, exp.Boolean):
            return _one(bool(tree.this))
        return _one(tree.this if tree.args["is_string"] else int(tree.this))

    def _not(self, tree: exp.Expr) -> Values:
        inner = _truth(self.plain(tree.this))
        return Values(~inner.values, inner.null)

    def _and(self, tree: exp.Expr) -> Values:
        one, other = (_truth(self.plain(side)) for side in (tree.this, tree.expression))
        false = ~(one.null | one.values) | ~(other.null | other.values)
        return Values(one.true & other.true, (one.null | other.null) & ~false)

    def _or(self, tree: exp.Expr) -> Values:
        one, other = (_truth(self.plain(side)) for side in (tree.this, tree.expression))
        true = one.true | other.true
        return Values(true, (one.null | other.null) & ~true)

    def _compared(self, tree: exp.Expr) -> Values:
        compare = _COMPARED[type(tree)]
        one, other = self.of(tree.this), self.of(tree.expression)
        if isinstance(one, Texts):
            literal = _plain(other)
            if literal.values.size != 1 or not isinstance(literal.values[0], str):
                raise Unsupported
            return _by_word(one, lambda word: bool(compare(word, literal.values[0])))
        left, right = _plain(one), _plain(other)
        if {left.values.dtype.kind, right.values.dtype.kind} - set("if"):
            raise Unsupported
        return Values(compare(left.values, right.values), left.null | right.null)

    def _between(self, tree: exp.Expr) -> Values:
        value, low, high = (self.plain(tree.args[name]) for name in ("this", "low", "high"))
        if {one.values.dtype.kind for one in (value, low, high)} - set("if"):
            raise Unsupported
        inside = (value.values >= low.values) & (value.values <= high.values)
        return Values(inside, value.null | low.null | high.null)

    def _is(self, tree: exp.Expr) -> Values:
        if not isinstance(tree.expression, exp.Null):
            raise Unsupported
        null = self.plain(tree.this).null
        return Values(null, np.zeros(1, bool))

    def _cast(self, tree: exp.Expr) -> Values:
        value, kind = self.of(tree.this), tree.args["to"].this
        if isinstance(value, Numbers) and kind in _WHOLE:
            if kind is exp.DataType.Type.INT and value.values.max(initial=0) > LARGEST_INT:
                raise Unsupported
            return Values(value.values, np.zeros(1, bool))
        if isinstance(value, Texts) and kind in (*_WHOLE, exp.DataType.Type.DOUBLE):
            return _by_word(value, lambda word: _cast_word(word, kind))
        if isinstance(value, Values) and kind in _WHOLE and value.values.dtype == np.float64:
            rounded = np.rint(value.values)
            if (rounded != value.values).any():
                raise Unsupported
            return Values(rounded.astype(np.int64), value.null)
        raise Unsupported

    def _floor(self, tree: exp.Expr) -> Values:
        value = self.plain(tree.this)
        return Values(np.floor(value.values), value.null)

    def _trim(self, tree: exp.Expr) -> Texts:
        value = self.of(tree.this)
        if not isinstance(value, Texts) or tree.expression or tree.args.get("position"):
            raise Unsupported
        return Texts(value.codes, tuple(word.strip(" ") for word in value.words))

    def _coalesce(self, tree: exp.Expr) -> Value:
        value = self.of(tree.this)
        if isinstance(value, Numbers | Texts):  # which are never NULL
            return value
        value = _plain(value)
        if len(tree.expressions) != 1:
            raise Unsupported
        other = self.plain(tree.expressions[0])
        return Values(np.where(value.null, other.values, value.values), value.null & other.null)

    def _like(self, tree: exp.Expr) -> Values:
        value, pattern = self.of(tree.this), tree.expression.name
        digits = _DIGITS.fullmatch(pattern)
        if isinstance(value, Numbers) and digits and value.longest <= int(digits[1]):
            return _one(True)
        if isinstance(value, Texts) and re.fullmatch(r"[\^$0-9\[\]{},.()?-]+", pattern):
            return _by_word(value, lambda word: re.search(pattern, word) is not None)
        raise Unsupported

    def _in(self, tree: exp.Expr) -> Values:
        value, query = self.of(tree.this), tree.args.get("query")
        if isinstance(value, Texts) and query is None:
            words = [one.this for one in tree.expressions if one.is_string]
            if len(words) != len(tree.expressions):
                raise Unsupported
            return _by_word(value, lambda word: word in words)
        if query is None:
            raise Unsupported
        members, asked = self.quick.members(query), _plain(value)
        if members.null.any() or not asked.values.dtype.kind == members.values.dtype.kind == "i":
            raise Unsupported
        return Values(_is_in(asked.values, members.values), asked.null)

    def _case(self, tree: exp.Expr) -> Value:
        ((condition, value),) = [(one.this, one.args["true"]) for one in tree.args["ifs"]]
        if tree.this is not None or tree.args.get("default") is not None:
            raise Unsupported
        holds, found = _truth(self.plain(condition)).true, self.of(value)
        if holds.all():
            return found
        if isinstance(found, tuple):
            raise Unsupported
        found = _plain(found)
        return Values(found.values, found.null | ~holds)

    def _row(self, tree: exp.Expr) -> tuple[Values, ...]:
        if isinstance(tree, exp.Anonymous) and tree.name.upper() != "ROW":
            raise Unsupported
        return tuple(self.plain(one) for one in tree.expressions)

    def _subquery(self, tree: exp.Expr) -> Values:
        size, columns = self.quick._select(tree.this)
        (value,) = columns.values()
        if size != 1:
            raise Unsupported
        return _plain(value)

    def _aggregate(self, tree: exp.Expr) -> Values:
        raise Unsupported


class _Whole(_Scope):
    """Expressions over all rows at once."""

    def __init__(self, quick: Quick, columns: dict[str, Value], size: int) -> None:
        super().__init__(quick, {}, 1)
        self.inner = _Scope(quick, columns, size)

    def _aggregate(self, tree: exp.Expr) -> Values:
        size = self.inner.size
        if not isinstance(tree, exp.Count):
            raise Unsupported
        if isinstance(tree.this, exp.Star):
            return _one(size)
        distinct = isinstance(tree.this, exp.Distinct)
        value = self.inner.of(tree.this.expressions[0] if distinct else tree.this)
        if isinstance(value, tuple) and any(one.null.any() for one in value):
            raise Unsupported
        if not distinct:
            if isinstance(value, Numbers | Texts | tuple):
                return _one(size)
            return _one(size - int(np.broadcast_to(value.null, size).sum()))
        return _one(_different(_keys(value, size)))


class _Groups(_Scope):
    """Expressions over the rows of each group."""

    def __init__(
        self, quick: Quick, columns: dict[str, Value], size: int, keys: list[exp.Expr]
    ) -> None:
        self.inner = _Scope(quick, columns, size)
        if len(keys) != 1:
            raise Unsupported
        key, words = _ranked(self.inner.of(keys[0]))
        null = np.broadcast_to(key.null, size)
        if null.any():
            key = Values(np.where(null, np.iinfo(np.int64).max, key.values), null)
        self.order = np.argsort(key.values, kind="stable")
        ordered = key.values[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[:size])
        super().__init__(quick, {}, len(self.starts))
        shown = Values(ordered[self.starts], null[self.order][self.starts])
        if words is not None:
            shown = Values(words[shown.values], shown.null)
        self._known[keys[0].sql()] = shown

    def _aggregate(self, tree: exp.Expr) -> Values:
        sizes = np.diff(self.starts, append=self.inner.size)
        if isinstance(tree, exp.Count) and isinstance(tree.this, exp.Star):
            return Values(sizes, np.zeros(1, bool))
        distinct = isinstance(tree.this, exp.Distinct)
        value = self.inner.plain(tree.this.expressions[0] if distinct else tree.this)
        null = np.broadcast_to(value.null, self.inner.size)[self.order]
        values = np.broadcast_to(value.values, self.inner.size)[self.order]
        counts = np.add.reduceat(~null, self.starts, dtype=np.int64)
        if isinstance(tree, exp.Count) and not distinct:
            return Values(counts, np.zeros(1, bool))
        if values.dtype.kind != "i":
            raise Unsupported
        values = values.astype(np.int64)
        if isinstance(tree, exp.Count):
            return Values(self._distinct(values, null), np.zeros(1, bool))
        if isinstance(tree, exp.Min):
            values = np.where(null, np.iinfo(np.int64).max, values)
            return Values(np.minimum.reduceat(values, self.starts), counts == 0)
        if isinstance(tree, exp.Max):
            values = np.where(null, np.iinfo(np.int64).min, values)
            return Values(np.maximum.reduceat(values, self.starts), counts == 0)
        raise Unsupported

    def _distinct(self, values: Array, null: Array) -> Array:
        """How many different ones each group has."""
        if null.any() or not len(values):
            raise Unsupported
        group = np.zeros(len(values), np.int64)
        group[self.starts[1:]] = 1
        pairs = _joined([Values(np.cumsum(group), null[:1]), Values(values, null[:1])])
        pairs.sort()
        first = np.append(True, pairs[1:] != pairs[:-1])
        return np.add.reduceat(first, self.starts, dtype=np.int64)


_METHODS: dict[type[exp.Expr], Callable[[Any, Any], Value]] = {
    exp.Paren: lambda scope, tree: scope.of(tree.this),
    exp.Column: _Scope._column,
    exp.Literal: _Scope._literal,
    exp.Boolean: _Scope._literal,
    exp.Not: _Scope._not,
    exp.And: _Scope._and,
    exp.Or: _Scope._or,
    exp.Between: _Scope._between,
    exp.Is: _Scope._is,
    exp.TryCast: _Scope._cast,
    exp.Cast: _Scope._cast,
    exp.Floor: _Scope._floor,
    exp.Trim: _Scope._trim,
    exp.Coalesce: _Scope._coalesce,
    exp.RegexpLike: _Scope._like,
    exp.In: _Scope._in,
    exp.Case: _Scope._case,
    exp.Anonymous: _Scope._row,
    exp.Struct: _Scope._row,
    exp.Subquery: _Scope._subquery,
    exp.Count: lambda scope, tree: scope._aggregate(tree),
    exp.Min: lambda scope, tree: scope._aggregate(tree),
    exp.Max: lambda scope, tree: scope._aggregate(tree),
}


def _one(value: Any) -> Values:
    held = np.array([value], object if isinstance(value, str) else None)
    return Values(held, np.zeros(1, bool))


def _truth(value: Values) -> Values:
    if value.values.dtype != bool:
        raise Unsupported
    return value


def _plain(value: Value) -> Values:
    """Of a text only where other texts are other values."""
    if isinstance(value, Values):
        return value
    if isinstance(value, Numbers) and value.plain:
        return Values(value.values, np.zeros(1, bool))
    raise Unsupported


def _by_word(value: Texts, of: Callable[[str], Any]) -> Values:
    """What it is of each word, looked up for each row."""
    answers = [of(word) for word in value.words]
    null = np.array([answer is None for answer in answers] or [False], bool)
    kept = [answer for answer in answers if answer is not None]
    kind = type(kept[0]) if kept else bool
    table = np.array([answer or kind(0) for answer in answers] or [kind(0)])
    return Values(table[value.codes], null[value.codes])


def _cast_word(word: str, kind: Any) -> float | int | None:
    if word == "":
        return None
    if kind in _WHOLE and _NUMBER.fullmatch(word) and int(word) <= LARGEST_INT:
        return int(word)
    if kind not in _WHOLE and _DECIMAL.fullmatch(word):
        return float(word)
    raise Unsupported


def _ranked(value: Value) -> tuple[Values, Array | None]:
    """(numbers in the values' order, the words by number where the values are such)."""
    if not isinstance(value, Texts):
        return _plain(value), None
    words = sorted(set(value.words))
    ranks = np.array([words.index(word) for word in value.words], np.int64)
    return Values(ranks[value.codes], np.zeros(1, bool)), np.array(words, object)


def _joined(parts: list[Values]) -> Array:
    """Numbers of several columns as one number a row, others for others."""
    joined = np.zeros(1, np.int64)
    most = 1
    for part in parts:
        if part.values.dtype.kind != "i" or part.values.min(initial=0) < 0:
            raise Unsupported
        width = int(part.values.max(initial=0)) + 1
        most *= width
        if most > 2**62:
            raise Unsupported
        joined = joined * width + part.values
    return joined


def _keys(value: Value, size: int) -> Array:
    """The values that are there, as numbers that differ as they do."""
    if isinstance(value, tuple):
        return np.broadcast_to(_joined(list(value)), size)
    if isinstance(value, Texts):
        raise Unsupported
    found = _plain(value)
    null = np.broadcast_to(found.null, size)
    return np.broadcast_to(found.values, size)[~null]


def _different(keys: Array) -> int:
    ordered = np.sort(keys)
    return int((ordered[1:] != ordered[:-1]).sum()) + (len(ordered) > 0)


def _is_in(asked: Array, members: Array) -> Array:
    """By a bit for each number, where they are not too far apart: ids are."""
    if not len(members):
        return np.zeros(len(asked), bool)
    low, high = int(members.min()), int(members.max())
    if high - low > 100_000_000 + 4 * len(asked):
        return np.isin(asked, members)
    there = np.zeros(high - low + 1, bool)
    there[members - low] = True
    inside = (asked >= low) & (asked <= high)
    return there[np.where(inside, asked, low) - low] & inside


def _python(value: Value, size: int) -> list[Any]:
    if isinstance(value, tuple | Numbers | Texts):
        raise Unsupported
    null = np.broadcast_to(value.null, size).tolist()
    values = np.broadcast_to(value.values, size).tolist()
    return [None if gone else one for one, gone in zip(values, null, strict=True)]
