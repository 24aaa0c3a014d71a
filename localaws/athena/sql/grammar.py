"""Trino's grammar: sqlglot's, with what it lacks added and what only others accept taken away.

Every function keeps its own Trino name; `tokens.py` refuses what is no Trino at all.
Grammar: https://github.com/trinodb/trino/blob/master/core/trino-grammar (SqlBase.g4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import TokenType

from . import function_grammar, json_grammar, json_table_grammar

# https://trino.io/docs/current/language/types.html
_TYPES = frozenset(
    """
    BOOLEAN TINYINT SMALLINT INTEGER INT BIGINT REAL DOUBLE DECIMAL VARCHAR CHAR VARBINARY JSON DATE
    TIME TIMESTAMP INTERVAL ARRAY MAP ROW UUID IPADDRESS IPPREFIX HYPERLOGLOG GEOMETRY UNKNOWN
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
) | {"DOUBLE PRECISION"}


# Without a number in parentheses: int(3) is no type.
_UNSIZED = {
    exp.DType.BOOLEAN, exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT,
    exp.DType.FLOAT, exp.DType.DOUBLE, exp.DType.VARBINARY, exp.DType.DATE, exp.DType.JSON,
    exp.DType.UUID,
}  # fmt: skip


class Unread(exp.Expression):
    """A statement with syntax of its own that is not read: MATCH_RECOGNIZE, JSON_TABLE."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class TypedLiteral(exp.Expression):
    """DATE '2020-01-01': a text whose spelling decides the type."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "to": True}


class Plus(exp.Unary):
    """+x, which is x, if that is a number."""


# What no other predicate takes unless it is in parentheses.
_PREDICATES = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is,
    exp.In, exp.Between, exp.Like, exp.Escape, exp.Not, exp.Connector,
)  # fmt: skip


def _compared(parser: Any, left: Any, signs: dict[Any, Any]) -> Any:
    """The value compared with another by one of the signs, if one follows."""
    sign = parser._curr and signs.get(parser._curr.token_type)
    if not sign or left is None or isinstance(left, _PREDICATES):
        return left
    parser._advance()
    right = None if parser._match(TokenType.NOT, advance=False) else parser._parse_bitwise()
    if right is None:
        parser.raise_error("Expecting: <expression>")
    return sign(this=left, expression=right)


def _interval_unit(parser: Any) -> exp.Expression:
    if not parser._match_texts(("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")):
        parser.raise_error("Expecting an interval field")
    return exp.Var(this=parser._prev.text.upper())


def _placeholder(parser: Any) -> exp.Placeholder:
    """`?` keeps its place, so that parameters are bound in the order of the text."""
    return exp.Placeholder().update_positions(parser._prev)


# The clauses of a query, in the order they have.
_CLAUSES = {
    kind: place
    for place, kinds in enumerate(
        (
            (TokenType.TABLE_SAMPLE,), (TokenType.WHERE,), (TokenType.GROUP_BY,),
            (TokenType.HAVING,), (TokenType.WINDOW,), (TokenType.ORDER_BY,), (TokenType.OFFSET,),
            (TokenType.LIMIT, TokenType.FETCH),
        ),
        start=1,
    )
    for kind in kinds
}  # fmt: skip


def _in_order(kind: TokenType) -> Any:
    parse = Trino.Parser.QUERY_MODIFIER_PARSERS[kind]

    def read(parser: Any) -> Any:
        if _CLAUSES[kind] <= parser._clause:
            parser.raise_error("")
        parser._clause = _CLAUSES[kind]
        return parse(parser)

    return read


def _is_foreign(token: Any) -> bool:
    return bool(token) and " ".join(token.text.upper().split()) not in _TYPES


def _unknown_type(parser: Any) -> exp.DataType | None:
    """A type as it is written, which `type_names` refuses by its name."""
    index, first = parser._index, parser._curr
    if first.token_type not in (TokenType.VAR, *parser.TYPE_TOKENS):
        return None
    parser._advance()
    if parser._match(TokenType.L_PAREN):
        parser._parse_csv(lambda: parser._parse_types() or parser._parse_number())
        if not parser._match(TokenType.R_PAREN):
            parser._retreat(index)
            return None
    told = parser._find_sql(first, parser._prev)
    return exp.DataType(this=exp.DType.USERDEFINED, kind=told)


def _typed_literal(parser: Any, this: exp.Expression, to: exp.DataType) -> exp.Expression:
    if not this.is_string:
        parser.raise_error("Expecting a text after the type")
    return TypedLiteral(this=this, to=to)


class TrinoGrammar(Trino):
    """Subscripts are left as written, and no function is renamed."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):  # type: ignore[misc, valid-type]
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            **function_grammar.PARSERS,
            **json_grammar.PARSERS,
            "JSON_TABLE": json_table_grammar.json_table,
        }
        UNARY_PARSERS: ClassVar[dict[Any, Any]] = {
            **Trino.Parser.UNARY_PARSERS,
            TokenType.PLUS: lambda self: Plus(this=self._parse_unary()),
        }
        QUERY_MODIFIER_PARSERS: ClassVar[dict[Any, Any]] = {
            kind: _in_order(kind) for kind in _CLAUSES
        }
        QUERY_MODIFIER_TOKENS: ClassVar[set[Any]] = set(_CLAUSES)
        OPTIONAL_ALIAS_TOKEN_CTE = False
        _clause = 0  # of the query that is read
        PLACEHOLDER_PARSERS: ClassVar[dict[Any, Any]] = {TokenType.PLACEHOLDER: _placeholder}
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = dict.fromkeys(exp.DType, _typed_literal)
        ZONE_AWARE_TIMESTAMP_CONSTRUCTOR = False

        def raise_error(self, message: str, token: Any = None) -> None:
            """What is missing at the end is missed there, not at the last word."""
            if not (token or self._curr):
                raise ParseError(message, [{"description": message, "end": True}])
            super().raise_error(message, token or self._curr)

        def _parse_types(
            self, check_func: bool = False, schema: bool = False,
            allow_identifiers: bool = True, with_collation: bool = False,
        ) -> Any:  # fmt: skip
            """`string`, `text` and `float` are no types of Trino's, nor is `int(3)`."""
            index, wanted = self._index, allow_identifiers and not (check_func or schema)
            if wanted and _is_foreign(self._curr):
                return _unknown_type(self)
            if _is_foreign(self._curr) and self._curr.token_type in self.TYPE_TOKENS:
                return None
            found = super()._parse_types(check_func, schema, allow_identifiers, with_collation)
            sized = isinstance(found, exp.DataType) and found.expressions
            if wanted and sized and found.this in _UNSIZED:
                self._retreat(index)
                return _unknown_type(self)
            return found

        def _parse_type(
            self, parse_interval: bool = True, fallback_to_identifier: bool = False
        ) -> Any:
            """A text after a type, which may be one that nobody knows, begins at the type."""
            first, known = self._curr, (TokenType.VAR, *self.TYPE_TOKENS)
            if (
                first and first.token_type in known and _is_foreign(first)
                and self._next and self._next.token_type == TokenType.STRING
            ):  # fmt: skip
                kind = _unknown_type(self)
                assert kind is not None
                found = _typed_literal(self, self._parse_primary(), kind)
                return found.update_positions(first)
            found = super()._parse_type(parse_interval, fallback_to_identifier)
            if isinstance(found, TypedLiteral):
                found.update_positions(first)
            return found

        def _parse_lambda(self, alias: bool = False) -> Any:
            """() -> 1, which no function takes, is a lambda all the same."""
            if self._match_pair(TokenType.L_PAREN, TokenType.R_PAREN, advance=False):
                index, first = self._index, self._curr
                self._advance(2)
                if self._match(TokenType.ARROW):
                    body = self._parse_disjunction()
                    return exp.Lambda(this=body, expressions=[]).update_positions(first)
                self._retreat(index)
            return super()._parse_lambda(alias)

        def _parse_struct_types(self, type_required: bool = False) -> Any:
            """A field of a row, whose type may be one that nobody knows."""
            kinds = (TokenType.VAR, *self.TYPE_TOKENS)
            foreign = self._next.token_type in kinds and _is_foreign(self._next)
            if self._curr.token_type == TokenType.VAR and foreign:
                return exp.ColumnDef(this=self._parse_id_var(), kind=self._parse_types())
            return super()._parse_struct_types(type_required)

        def _parse_case(self) -> Any:
            """WHEN has its THEN."""
            value, cases = self._parse_disjunction(), []
            while self._match(TokenType.WHEN):
                condition = self._parse_disjunction()
                if not self._match(TokenType.THEN):
                    self.raise_error("Expecting: 'THEN'")
                cases.append(exp.If(this=condition, true=self._parse_disjunction()))
            if not cases:
                self.raise_error("Expecting: 'WHEN'")
            default = self._parse_disjunction() if self._match(TokenType.ELSE) else None
            if not self._match(TokenType.END):
                self.raise_error("Expecting: 'END'")
            return exp.Case(this=value, ifs=cases, default=default)

        def _parse_query_modifiers(self, this: Any) -> Any:
            outer, self._clause = self._clause, 0
            try:
                return super()._parse_query_modifiers(this)
            finally:
                self._clause = outer

        def _parse_using_identifiers(self) -> Any:
            if not self._match(TokenType.L_PAREN, advance=False):
                self.raise_error("Expecting: '('")
            return super()._parse_using_identifiers()

        def _parse_equality(self, parse_is: bool = True) -> Any:
            return _compared(self, self._parse_comparison(), self.EQUALITY)

        def _parse_comparison(self, this: Any = None) -> Any:
            return _compared(self, this or self._parse_range(), self.COMPARISON)

        def _parse_range(self, this: Any = None, parse_is: bool = False) -> Any:
            """A value and IN, IS, LIKE or BETWEEN, once."""
            value = this or self._parse_bitwise()
            if isinstance(value, _PREDICATES):
                return value
            negated = self._match(TokenType.NOT)
            if self._match_set(self.RANGE_PARSERS):
                found = self.RANGE_PARSERS[self._prev.token_type](self, value)
                return self._negate_range(found) if found and negated else found or value
            if negated:
                self._retreat(self._index - 1)
            return value

        def _parse_escape(self, this: Any) -> Any:
            """LIKE ... ESCAPE takes any value, as LIKE itself does."""
            if not self._match(TokenType.ESCAPE):
                return this
            mark = self._parse_bitwise()
            if mark is None:
                self.raise_error("Expecting: <expression>")
            return exp.Escape(this=this, expression=mark)

        def _parse_select(
            self, nested: bool = False, table: bool = False, parse_subquery_alias: bool = True,
            parse_set_operation: bool = True, consume_pipe: bool = True,
        ) -> Any:  # fmt: skip
            """A query begins with no FROM, and goes on with no `|>`."""
            if self._curr and self._curr.token_type == TokenType.FROM:
                return None
            return super()._parse_select(
                nested, table, parse_subquery_alias, parse_set_operation, consume_pipe=False
            )

        def _parse_group(self, skip_group_by_token: bool = False) -> Any:
            group = super()._parse_group(skip_group_by_token)
            said = group is not None and any(v for k, v in group.args.items() if k != "all")
            if group is not None and not said:
                self.raise_error("Expecting: <expression>")
            return group

        def _parse_table_alias(self, alias_tokens: Any = None) -> Any:
            """Names of columns come after one of the relation."""
            index = self._index
            alias = super()._parse_table_alias(alias_tokens)
            if alias is not None and alias.this is None:
                self._retreat(index)
                self.raise_error("")
            return alias

        def _parse_join(self, *args: Any, **options: Any) -> Any:
            """A comma joins without a condition; JOIN has one, CROSS JOIN none."""
            comma = self._curr and self._curr.token_type == TokenType.COMMA
            join = super()._parse_join(*args, **options)
            if join is None or comma:
                return join
            crossed = join.kind.upper() == "CROSS"
            held = bool(join.args.get("on") or join.args.get("using"))
            if crossed and join.side:
                self.raise_error("")
            if crossed == held and not join.args.get("method"):
                self.raise_error("" if crossed else "Expecting: 'ON', 'USING'")
            return join

        def _parse_derived_table_values(self, allow_value_synonym: bool = False) -> Any:
            """(VALUES 1, 2) in FROM; what goes on after its rows is a query like any other."""
            index = self._index
            if self._match_pair(TokenType.L_PAREN, TokenType.VALUES):
                self._parse_csv(self._parse_value)
                ends = self._curr.token_type == TokenType.R_PAREN
                self._retreat(index)
                if not ends:
                    return None
            return super()._parse_derived_table_values(allow_value_synonym)

        def _parse_value(self, values: bool = True) -> Any:
            """A row of VALUES; one without parentheses is left as it is."""
            if self._curr.token_type == TokenType.L_PAREN:
                return super()._parse_value(values)
            return self._parse_expression()

        def _parse_interval(
            self, require_interval: bool = True, parse_function_unit: bool = True
        ) -> Any:
            """INTERVAL [+-] 'text' field [TO field]"""
            index = self._index
            if not self._match(TokenType.INTERVAL):
                return None
            minus = self._match(TokenType.DASH) or (self._match(TokenType.PLUS) and False)
            if not self._match(TokenType.STRING):
                self._retreat(index)
                return None
            text = exp.Literal.string(self._prev.text).update_positions(self._prev)
            unit = _interval_unit(self)
            if self._match_text_seq("TO"):
                unit = exp.IntervalSpan(this=unit, expression=_interval_unit(self))
            interval = exp.Interval(this=text, unit=unit)
            return exp.Neg(this=interval) if minus else interval

    class Generator(Trino.Generator):  # type: ignore[misc, valid-type]
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **Trino.Generator.TRANSFORMS,
            TypedLiteral: lambda self, node: f"{self.sql(node, 'to')} {self.sql(node, 'this')}",
            Unread: lambda self, node: self.sql(node, "this"),
            Plus: lambda self, node: f"+{self.sql(node, 'this')}",
        }


def nodes(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The node and all below it, in no order; much quicker than sqlglot's own walk."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for value in node.args.values():
            if isinstance(value, exp.Expr):
                waiting.append(value)
            elif type(value) is list:
                waiting += [item for item in value if isinstance(item, exp.Expr)]


def written(node: exp.Expr) -> str:
    """The node as SQL, for messages; its kind where the generator cannot write it."""
    try:
        return node.sql(TrinoGrammar)
    except (ValueError, AttributeError, TypeError, LookupError):
        return type(node).__name__
