"""The checks of sql/checks as few statements: one scan of a table answers for all rules about it.

Each file stays what a person reads, and what gives the sample when its rule is broken: a SELECT of
the rows that break it. Composed from them, a statement says of each of its checks in one column
whether anything does. What a file may look like, over one table (or a UNION ALL of such SELECTs):

    SELECT ... WHERE condition [GROUP BY keys]                broken by any such row
    SELECT ... [WHERE ...] GROUP BY keys HAVING count(*) > 1  by any two rows with the same keys
    SELECT ... HAVING condition                               by the table as a whole
    SELECT ... [WHERE ...] GROUP BY keys HAVING condition     by any group: in a scan of its own

Anything else is refused: it would scan a table once more, unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from tasks.errors import DefinitionError

# Not tasks.sql's, which imports the SDK of the workflow: `rebuy data check` needs none of it.
CHECKS = Path(__file__).resolve().parents[1] / "sql" / "checks"
DATABASE = "${RawDatabase}"
STAND_IN = "raw_database_"  # an identifier in its place, while a file is parsed


@dataclass(frozen=True)
class Rule:
    """One SELECT of a check's file, taken apart."""

    check: str
    table: str
    where: exp.Expr | None
    keys: tuple[exp.Expr, ...]
    having: exp.Expr | None

    @property
    def scan(self) -> tuple[str, str, str]:
        """Rules with the same scan are answered by one statement."""
        if self.having is None or not self.keys or self._repeats:
            return (self.table, "", "")
        return (self.table, ", ".join(map(_text, self.keys)), _text(self.where))

    @property
    def _repeats(self) -> bool:
        return self.having is not None and _text(self.having) == "COUNT(*) > 1"

    def column(self) -> str | None:
        """What the rule needs of each row, or of each group."""
        if self.scan[1]:
            return _text(self.having)
        if self._repeats:
            keys = ", ".join(map(_text, self.keys))
            row = f"ROW({keys})" if len(self.keys) > 1 else keys
            return f"CASE WHEN {_text(self.where)} THEN {row} END" if self.where else row
        return None if self.having else _text(self.where)

    def broken(self, column: str) -> str:
        """Whether anything breaks it: a condition over all rows, or groups, of the scan."""
        if self._repeats:
            return f"count({column}) <> count(DISTINCT {column})"
        if self.column() is None:
            return _text(self.having)
        return f"count(CASE WHEN {column} THEN 1 END) > 0"


def of_project() -> list[dict[str, Any]]:
    """Those of sql/checks."""
    return compose({file.stem: file.read_text() for file in CHECKS.glob("*.sql")})


def compose(files: Mapping[str, str]) -> list[dict[str, Any]]:
    """[{table, counts, checks (names), sql}] out of check name to SQL. Each statement answers one
    row, with a column of each check's name: true when something breaks it; one that scans its table
    whole `counts`, and has its `rows_found`. Raises DefinitionError."""
    scans: dict[tuple[str, str, str], list[Rule]] = {}
    for check, text in sorted(files.items()):
        for rule in _rules(check, text):
            scans.setdefault(rule.scan, []).append(rule)
    return [
        {
            "table": scan[0],
            "counts": not scan[1],
            "checks": sorted({rule.check for rule in rules}),
            "sql": _statement(*scan, rules),
        }
        for scan, rules in sorted(scans.items())
    ]


def _statement(table: str, keys: str, where: str, rules: list[Rule]) -> str:
    columns = [] if keys else ["*"]
    source = f"{DATABASE}.{table}"
    if not keys:
        rules, casts = _cast_once(rules)
        if casts:
            columns_read = f"        SELECT\n            *,\n{casts}\n"
            source = f"(\n{columns_read}        FROM {source}\n    ) AS read"
    answers: dict[str, str] = {}
    for number, rule in enumerate(rules):
        name = f"rule_{number}"
        column = rule.column()
        if column is not None:
            columns.append(f"{column} AS {name}")
        answers[rule.check] = " OR ".join(
            [*([answers[rule.check]] if rule.check in answers else []), rule.broken(name)]
        )
    grouped = (f"    WHERE {where}\n" if where else "") + f"    GROUP BY {keys}\n" if keys else ""
    if not keys:
        answers["rows_found"] = "count(*)"
    outer = ",\n".join(f"    {answer} AS {check}" for check, answer in answers.items())
    inner = ",\n".join(f"        {column}" for column in columns)
    return (
        f"SELECT\n{outer}\nFROM (\n    SELECT\n{inner}\n    FROM {source}\n{grouped}) AS checked\n"
    )


def _cast_once(rules: list[Rule]) -> tuple[list[Rule], str]:
    """The rules with names in place of what they cast of the table's columns, and the columns of
    these names: several rules need the same number, and reading it is most of their work."""
    names: dict[str, str] = {}

    def named(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.TryCast) or not isinstance(node.this, exp.Column):
            return node
        if node.find_ancestor(exp.Select):  # another table's
            return node
        kind = re.sub(r"\W+", "_", node.to.sql("athena").lower())
        name = names.setdefault(_text(node), f"{node.this.name}_{kind}")
        return exp.column(name)

    def of(expression: exp.Expr | None) -> exp.Expr | None:
        return expression.copy().transform(named) if expression else None

    told = [
        replace(
            rule,
            where=of(rule.where),
            having=of(rule.having),
            keys=tuple(key.copy().transform(named) for key in rule.keys),
        )
        for rule in rules
    ]
    return told, ",\n".join(f"            {cast} AS {name}" for cast, name in names.items())


def _rules(check: str, text: str) -> Iterator[Rule]:
    tree = sqlglot.parse_one(text.replace(DATABASE, STAND_IN), read="athena")
    for select in _branches(tree):
        table = select.args["from_"].this if isinstance(select, exp.Select) else None
        others = set(select.args) - {"expressions", "from_", "where", "group", "having"}
        if (
            not isinstance(table, exp.Table)
            or table.db != STAND_IN
            or table.alias
            or any(select.args[other] for other in others)
        ):
            raise DefinitionError(
                f"sql/checks/{check}.sql: a check selects from one table of {DATABASE}, with WHERE,"
                " GROUP BY and HAVING; others are asked with IN (SELECT ...)."
            )
        group, where, having = (select.args.get(part) for part in ("group", "where", "having"))
        if not (having or where) or (having and where and not group):
            raise DefinitionError(
                f"sql/checks/{check}.sql: a check has a WHERE, a HAVING, or both with a GROUP BY."
            )
        yield Rule(
            check,
            table.name,
            where.this if where else None,
            tuple(group.expressions) if group else (),
            having.this if having else None,
        )


def _branches(tree: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(tree, exp.Union) and not tree.args.get("distinct"):
        yield from _branches(tree.this)
        yield from _branches(tree.expression)
    else:
        yield tree


def _text(expression: exp.Expr | None) -> str:
    return expression.sql("athena").replace(STAND_IN, DATABASE) if expression else ""
