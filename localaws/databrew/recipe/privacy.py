"""Personal data: masks, digests, encryption, random values, shuffling.

With `entityTypeFilter` a step changes the cells that hold an entity of one of the types, and those
as a whole: recorded for cells that are one; for longer texts it is the reading that shows least.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from localaws.databrew.recipe import entities
from localaws.databrew.recipe.conditions import condition_sql
from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import ident, is_time, literal, to_text, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table

DEFAULT_SECRET = "databrew!default"
ALGORITHMS = ("MD5", "SHA1", "SHA256", "SHA512")
ALPHABET = ("SYMBOLS", "WHITESPACE")
DATE_PARTS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND")


def changed(
    step: Step, table: Table, value: Callable[[str, str], str], kind: str = "VARCHAR"
) -> Selected:
    """The sourceColumns in place, `value(text, column)` of each, under the step's conditions."""
    when = condition_sql(step, table)
    types = _entity_types(step)
    columns = dict(table.columns)
    written = []
    for name in step.columns(table):
        text = to_text(ident(name), step.kind(table, name))
        new, old = value(text, name), text if kind == "VARCHAR" else ident(name)
        tests = [when] if when else []
        if types:
            tests.append(f"coalesce(databrew_holds({text}, {literal(types)}), false)")
        if tests:
            new = f"CASE WHEN {' AND '.join(tests)} THEN {new} ELSE {old} END"
        written.append(f"CAST({new} AS {kind}) AS {ident(name)}")
        columns[name] = kind
    return Selected(f"SELECT * REPLACE ({', '.join(written)}) FROM {table.name}", columns)


def _entity_types(step: Step) -> str:
    if not step.has("entityTypeFilter"):
        return ""
    named = step.texts("entityTypeFilter")
    if "USA_ALL" in named:
        step.fail(
            "the entity type USA_ALL is not emulated by localaws: it has types that only a trained"
            f" model finds. Name some of {', '.join(entities.RULES)}."
        )
    for name in named:
        if name in entities.OTHERS:
            step.fail(
                f"the entity type {name} is not emulated by localaws: only a trained model finds"
                f" it. It has {', '.join(entities.RULES)}."
            )
        if name not in entities.RULES:
            step.fail(f"DataBrew has no entity type {name!r}.")
    return ",".join(named)


def secret_name(step: Step) -> str:
    """How the key of a step is called in SQL and in what the server resolves: id and version."""
    return json.dumps([step.text("secretId", DEFAULT_SECRET), step.optional("secretVersion")])


def secrets_of(steps: Iterable[Step]) -> dict[str, bool]:
    """The secrets that steps need, and whether one that is missing is to be made."""
    found: dict[str, bool] = {}
    for step in steps:
        keyed = step.operation == "CRYPTOGRAPHIC_HASH" and _algorithm(step).startswith("HMAC")
        if keyed or step.operation.startswith("DETERMINISTIC_"):
            name = secret_name(step)
            found[name] = found.get(name, False) or step.flag("createSecretIfMissing")
    return found


def _algorithm(step: Step) -> str:
    allowed = [*ALGORITHMS, *(f"HMAC_{name}" for name in ALGORITHMS)]
    return step.choice("algorithm", allowed, "HMAC_SHA256")


def cryptographic_hash(step: Step, table: Table, context: Context) -> Selected:
    """The digest as base64 text (recorded); null stays null."""
    algorithm = _algorithm(step)
    kind = literal(algorithm.removeprefix("HMAC_").lower())
    if algorithm.startswith("HMAC"):
        secret = literal(secret_name(step))
        return changed(step, table, lambda text, _: f"databrew_hmac({text}, {secret}, {kind})")
    return changed(step, table, lambda text, _: f"databrew_hash({text}, {kind})")


def deterministic(function: str) -> Compile:
    """Cells sealed or unsealed with a secret; the type is not restored."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        secret = literal(secret_name(step))
        return changed(step, table, lambda text, _: f"{function}({text}, {secret})")

    return compile_step


def needs_kms(step: Step, table: Table, context: Context) -> Selected:
    step.fail(
        "keys of KMS encrypt nothing in localaws, and AWS could not read back what it is to write: "
        "a message under a key that never leaves AWS. DETERMINISTIC_ENCRYPT takes a secret."
    )


def _symbol(step: Step, default: str | None = None) -> str:
    symbol = step.text("maskSymbol", default)
    if len(symbol) != 1:
        step.fail(f"parameter 'maskSymbol' is {symbol!r}; it must be one character.")
    return symbol


def _alphabet(step: Step) -> set[str]:
    """The classes of characters that stay visible."""
    shown = set(step.texts("alphabet")) if step.has("alphabet") else set()
    if shown - set(ALPHABET):
        step.fail(f"'alphabet' may list {' and '.join(ALPHABET)}.")
    return shown


_MASKED = {
    frozenset(): r"(?s:.)",
    frozenset({"SYMBOLS"}): r"[\p{L}\p{N}\s]",
    frozenset({"WHITESPACE"}): r"\S",
    frozenset({"SYMBOLS", "WHITESPACE"}): r"[\p{L}\p{N}]",
}


def mask_range(step: Step, table: Table, context: Context) -> Selected:
    """Masks the characters from `start` (counted from 0) up to `stop`, which is not masked.

    The console adds `maskMode` and `firstN` for its form; start and stop do the work (recorded).
    A negative place counts from the end.
    """
    symbol, masked = _symbol(step), literal(_MASKED[frozenset(_alphabet(step))])
    mode = step.choice(
        "maskMode", ["MASK_FIRST_N", "MASK_LAST_N", "MASK_ALL", "MASK_RANGE"], "MASK_RANGE"
    )
    start = step.integer("start", 0)
    stop = step.integer("stop") if step.has("stop") else None
    if mode == "MASK_FIRST_N" and stop is None:
        stop = step.integer("firstN", at_least=0)
    if mode == "MASK_LAST_N" and not step.has("start"):
        step.fail("maskMode MASK_LAST_N needs a start, such as -4 for the last four characters.")

    def place(number: int, text: str) -> str:
        return str(number) if number >= 0 else f"greatest(length({text}) - {-number}, 0)"

    def value(text: str, _: str) -> str:
        first = place(start, text)
        last = f"length({text})" if stop is None else place(stop, text)
        middle = f"substring({text}, {first} + 1, greatest({last} - {first}, 0))"
        hidden = f"regexp_replace({middle}, {masked}, {literal(symbol)}, 'g')"
        return (
            f"left({text}, {first}) || {hidden} || substring({text}, greatest({first}, {last}) + 1)"
        )

    return changed(step, table, value)


def mask_custom(step: Step, table: Table, context: Context) -> Selected:
    """Every occurrence of a text or pattern, a symbol for each of its characters (inferred)."""
    pattern = step.text("customValue")
    if not step.flag("regex"):
        pattern = re.escape(pattern)
    try:
        re.compile(pattern)
    except re.error as error:
        step.fail(f"the pattern {pattern!r} is not regular: {error}.")
    arguments = f"{literal(pattern)}, {literal(_symbol(step))}"
    return changed(step, table, lambda text, _: f"databrew_mask({text}, {arguments})")


def mask_delimiter(step: Step, table: Table, context: Context) -> Selected:
    """What stands between two delimiters; without one of them from the beginning, to the end.

    The guide's words on preserveDelimiters contradict the name: kept when true (inferred).
    """
    start, end = step.text("startDelimiter", ""), step.text("endDelimiter", "")
    if not start and not end:
        step.fail("one of startDelimiter, endDelimiter is needed.")
    shown = ",".join(sorted(_alphabet(step)))
    listed = ", ".join(literal(each) for each in (start, end, _symbol(step), shown))
    preserve = step.flag("preserveDelimiters")
    return changed(
        step, table, lambda text, _: f"databrew_mask_between({text}, {listed}, {preserve})"
    )


def mask_date(step: Step, table: Table, context: Context) -> Selected:
    """Parts of dates masked. What is no date cannot be masked in part, and becomes null."""
    redact = step.texts("redact")
    for part in redact:
        if part not in DATE_PARTS:
            step.fail(f"'redact' has {part!r}; it may have {', '.join(DATE_PARTS)}.")
        if part not in ("YEAR", "MONTH", "DAY"):
            step.fail(f"redact {part} is not emulated by localaws: no output of it is known.")
    if step.text("locale", "en") not in ("en", "en_US", "en-US"):
        step.fail("a locale other than en is not emulated by localaws.")
    arguments = f"{literal(','.join(redact))}, {literal(_symbol(step, '#'))}"

    def value(text: str, name: str) -> str:
        kind = step.kind(table, name)
        if is_time(kind):
            text = f"strftime({to_time(ident(name), kind)}, '%Y-%m-%d')"
        return f"nullif(databrew_mask_date({text}, {arguments}), '')"

    return changed(step, table, value)


def random_between(step: Step, table: Table, context: Context) -> Selected:
    """Whole random numbers; both bounds can occur."""
    low, high = step.number_text("lowerBound"), step.number_text("upperBound")
    value = f"floor(random() * ({high} - {low} + 1)) + {low}"
    return changed(step, table, lambda text, _: value, "BIGINT")


def random_date_between(step: Step, table: Table, context: Context) -> Selected:
    start, end = (to_time(literal(step.text(name)), "VARCHAR") for name in ("startDate", "endDate"))
    seconds = f"floor(random() * (epoch({end}) - epoch({start}) + 1))"
    value = f"strftime({start} + to_seconds({seconds}), '%Y-%m-%d %H:%M:%S')"
    return changed(step, table, lambda text, _: value)


def shuffle_rows(step: Step, table: Table, context: Context) -> Selected:
    """The columns' values, together, among the rows (of a group, if groups are named)."""
    columns = step.columns(table)
    groups: list[str] = []
    if step.has("groupByColumns") and step.texts("groupByColumns"):
        groups = step.columns(table, "groupByColumns")
    named = ", ".join(f"{ident(name)} AS __g{place}" for place, name in enumerate(groups))
    partition = f"PARTITION BY {', '.join(ident(name) for name in groups)} " if groups else ""
    values = ", ".join(ident(name) for name in columns)
    same = "".join(
        f" AND a.{ident(name)} IS NOT DISTINCT FROM b.__g{place}"
        for place, name in enumerate(groups)
    )
    replaced = ", ".join(f"b.{ident(name)} AS {ident(name)}" for name in columns)
    kept = f"SELECT *, row_number() OVER ({partition}ORDER BY {ROW}) AS __k FROM {table.name}"
    mixed = (
        f"SELECT {values}, {named + ', ' if named else ''}"
        f"row_number() OVER ({partition}ORDER BY __random) AS __k"
        f" FROM (SELECT *, random() AS __random FROM {table.name})"
    )
    return Selected(
        f"SELECT a.* EXCLUDE (__k) REPLACE ({replaced})"
        f" FROM ({kept}) AS a JOIN ({mixed}) AS b ON a.__k = b.__k{same}",
        dict(table.columns),
        twice=True,
    )


OPERATIONS: dict[str, Compile] = {
    "CRYPTOGRAPHIC_HASH": cryptographic_hash,
    "DECRYPT": needs_kms,
    "DETERMINISTIC_DECRYPT": deterministic("databrew_unseal"),
    "DETERMINISTIC_ENCRYPT": deterministic("databrew_seal"),
    "ENCRYPT": needs_kms,
    "MASK_CUSTOM": mask_custom,
    "MASK_DATE": mask_date,
    "MASK_DELIMITER": mask_delimiter,
    "MASK_RANGE": mask_range,
    "REPLACE_WITH_RANDOM_BETWEEN": random_between,
    "REPLACE_WITH_RANDOM_DATE_BETWEEN": random_date_between,
    "SHUFFLE_ROWS": shuffle_rows,
}
ORDERED = frozenset({"SHUFFLE_ROWS"})
