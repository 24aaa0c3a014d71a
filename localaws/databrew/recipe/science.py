"""Data science and outliers: encodings, buckets, scaling, transforms."""

from __future__ import annotations

import re

from localaws.databrew.recipe.conditions import condition_sql
from localaws.databrew.recipe.shapes import Compile, add, flag
from localaws.databrew.recipe.sql import (
    cast,
    ident,
    is_exact,
    is_integer,
    is_number,
    literal,
    to_double,
    to_text,
)
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table, with_changed


def _number(step: Step, table: Table) -> tuple[str, str]:
    column = step.column(table)
    return column, to_double(ident(column), step.kind(table, column))


def binarization(step: Step, table: Table, context: Context) -> Selected:
    """1 above the threshold, 0 at or below it; `flip` swaps them; null stays null."""
    _, number = _number(step, table)
    above, below = ("0", "1") if step.flag("flip") else ("1", "0")
    threshold = step.number_text("threshold")
    value = (
        f"CASE WHEN {number} > {threshold} THEN {above}"
        f" WHEN {number} <= {threshold} THEN {below} END"
    )
    return add(step, table, value, "INTEGER")


def bucketization(step: Step, table: Table, context: Context) -> Selected:
    """The name of the range [a, b) that holds the value; the last range is closed."""
    _, number = _number(step, table)
    names = step.texts("bucketNames")
    if step.has("splits"):
        splits = [step.double(text, "splits") for text in step.texts("splits")]
        if len(splits) != len(names) + 1:
            step.fail(f"{len(names)} bucketNames need {len(names) + 1} splits, not {len(splits)}.")
    else:
        splits = _equal_parts(step, number, len(names))
    branches = []
    for place, name in enumerate(names):
        upper = "<=" if place == len(names) - 1 else "<"
        test = f"{number} >= {splits[place]} AND {number} {upper} {splits[place + 1]}"
        branches.append(f"WHEN {test} THEN {literal(name)}")
    return add(step, table, f"CASE {' '.join(branches)} END", "VARCHAR")


def _equal_parts(step: Step, number: str, parts: int) -> list[str]:
    """The bounds of buckets of `percentage` of the rows each (inferred), ends included."""
    share = (
        float(step.text("percentage")) if step.double(step.text("percentage"), "percentage") else 0
    )
    if not 0 < share <= 100 or parts != -(-100 // share):
        step.fail(f"percentage {share:g} does not make the {parts} buckets of bucketNames.")
    inner = [
        f"quantile_cont({number}, {min(place * share / 100, 1)}) OVER ()"
        for place in range(1, parts)
    ]
    return [f"min({number}) OVER ()", *inner, f"max({number}) OVER ()"]


def categorical_mapping(step: Step, table: Table, context: Context) -> Selected:
    """Categories to numbers or texts.

    A value that is not mapped: its row is dropped (deleteOtherRows), it is kept (keepOthers),
    becomes `other`, or null.
    """
    column = step.column(table)
    kind = step.kind(table, column)
    numeric = step.choice("mapType", ["NUMERIC", "TEXT"]) == "NUMERIC"
    mapping = step.json("categoryMap", dict)
    if not mapping:
        step.fail("'categoryMap' is empty.")
    name = ident(column)
    whole = is_exact(kind) and all(re.fullmatch(r"-?\d{1,38}", key) for key in mapping)
    if whole:
        compared = f"CAST({name} AS DECIMAL(38,0))"
    else:
        compared = to_double(name, kind) if is_number(kind) else to_text(name, kind)

    def key(text: str) -> str:  # a number column's 1 is the category "1" and "1.0"
        if whole:
            return f"CAST({literal(text)} AS DECIMAL(38,0))"
        return step.double(text, "categoryMap") if is_number(kind) else literal(text)

    def result(text: str) -> str:
        return step.double(text, "categoryMap") if numeric else literal(text)

    branches = " ".join(
        f"WHEN {compared} = {key(str(source))} THEN {result(str(target))}"
        for source, target in mapping.items()
    )
    rest = "NULL"
    if step.flag("keepOthers"):
        rest = to_double(name, kind) if numeric else to_text(name, kind)
    elif step.has("other"):
        rest = result(step.text("other"))
    made = add(step, table, f"CASE {branches} ELSE {rest} END", "DOUBLE" if numeric else "VARCHAR")
    if not step.flag("deleteOtherRows"):
        return made
    keys = ", ".join(key(str(source)) for source in mapping)
    return Selected(f"{made.sql} WHERE {compared} IN ({keys})", made.columns)


def scale(step: Step, table: Table, context: Context) -> Selected:
    _, number = _number(step, table)
    strategy = step.choice(
        "strategy", ["MIN_MAX", "SCALE_BETWEEN", "MEAN_NORMALIZATION", "Z_SCORE"]
    )
    low, high, mean = (f"{name}({number}) OVER ()" for name in ("min", "max", "avg"))
    spread = f"nullif({high} - {low}, 0)"
    if strategy == "SCALE_BETWEEN":
        step.fail(
            "strategy SCALE_BETWEEN is not emulated by localaws: its bounds are undocumented."
        )
    value = {
        "MIN_MAX": f"({number} - {low}) / {spread}",
        "MEAN_NORMALIZATION": f"({number} - {mean}) / {spread}",
        "Z_SCORE": f"({number} - {mean}) / nullif(stddev_samp({number}) OVER (), 0)",
    }[strategy]
    return add(step, table, value, "DOUBLE")


def transformed(step: Step, number: str) -> str:
    """LOG to the base, ROOT of the degree or the power `value`; null where it is undefined."""
    function = step.choice("skewFunction", ["ROOT", "LOG", "SQUARE"])
    value = step.number_text("value", "10" if function == "LOG" else "2")
    if function == "LOG":
        return f"CASE WHEN {number} > 0 THEN ln({number}) / ln({value}) END"
    if function == "ROOT":
        return f"CASE WHEN {number} >= 0 THEN pow({number}, 1.0 / {value}) END"
    return f"pow({number}, {value})"


def skewness(step: Step, table: Table, context: Context) -> Selected:
    _, number = _number(step, table)
    return add(step, table, transformed(step, number), "DOUBLE")


def outlier(step: Step, number: str) -> str:
    """True for an outlier, null or false otherwise.

    Undocumented and therefore ours: the sample deviation, the factor 0.6745 of the modified
    score, and quartiles with linear interpolation.
    """
    # GUESSED: outliers by the sample deviation, 0.6745 in the modified score, quartiles
    #     interpolated.
    strategy = step.choice("outlierStrategy", ["Z_SCORE", "MODIFIED_Z_SCORE", "IQR"])
    limit = step.number_text("threshold", "1.5" if strategy == "IQR" else "3")
    if strategy == "IQR":
        low, high = (f"quantile_cont({number}, {share}) OVER ()" for share in (0.25, 0.75))
        reach = f"{limit} * ({high} - {low})"
        return f"({number} < {low} - {reach} OR {number} > {high} + {reach})"
    if strategy == "MODIFIED_Z_SCORE":
        middle, deviation = f"median({number}) OVER ()", f"mad({number}) OVER ()"
        return f"(abs(0.6745 * ({number} - {middle}) / nullif({deviation}, 0)) > {limit})"
    return f"(abs({z_score(number)}) > {limit})"


def z_score(number: str) -> str:
    return f"({number} - avg({number}) OVER ()) / nullif(stddev_samp({number}) OVER (), 0)"


def _mode(step: Step, table: Table, number: str) -> str:
    """The most frequent number; `modeType` settles ties (without one: the smallest)."""
    pick = {"MAX": "max", "AVERAGE": "avg"}.get(
        step.choice("modeType", ["MIN", "MAX", "AVERAGE"], "MIN"), "min"
    )
    counts = (
        f"SELECT {number} AS v, count(*) AS n FROM {table.name}"
        f" WHERE {number} IS NOT NULL GROUP BY 1"
    )
    return f"(SELECT {pick}(v) FROM (FROM ({counts}) QUALIFY rank() OVER (ORDER BY n DESC) = 1))"


def _percentiles(step: Step, number: str) -> tuple[str, str]:
    """The values at the percentiles minValue and maxValue, 0 to 100."""
    bounds = []
    for name in ("minValue", "maxValue"):
        step.number_text(name)
        share = float(step.text(name))
        if not 0 <= share <= 100:
            step.fail(f"parameter {name!r} is {share:g}; a percentile is from 0 to 100.")
        bounds.append(f"quantile_cont({number}, {share / 100}) OVER ()")
    return bounds[0], bounds[1]


def _trimmed(step: Step, number: str) -> str:
    """An outlier; with trimValue only one beyond the percentiles, if those are given."""
    test = outlier(step, number)
    if not step.flag("trimValue") or not (step.has("minValue") or step.has("maxValue")):
        return test
    low, high = _percentiles(step, number)
    return f"({test} AND ({number} < {low} OR {number} > {high}))"


def flag_outliers(step: Step, table: Table, context: Context) -> Selected:
    _, number = _number(step, table)
    return add(step, table, flag(step, outlier(step, number)), "VARCHAR")


def remove_outliers(step: Step, table: Table, context: Context) -> Selected:
    column, number = _number(step, table)
    when = condition_sql(step, table)
    if step.choice("removeType", ["DELETE_ROWS", "CLEAR"]) == "CLEAR":
        value = f"CASE WHEN {_trimmed(step, number)} THEN NULL ELSE {ident(column)} END"
        return with_changed(table, column, value, step.kind(table, column), when)
    bad = f"coalesce({_trimmed(step, number)}, false)" + (f" AND {when}" if when else "")
    return Selected(f"SELECT * FROM {table.name} QUALIFY NOT ({bad})", dict(table.columns))


def replace_outliers(step: Step, table: Table, context: Context) -> Selected:
    """Statistics are over all rows. Where whole numbers get a mean, the column becomes DOUBLE."""
    column, number = _number(step, table)
    own = step.kind(table, column)
    values = {
        "REPLACE_WITH_NULL": "NULL",
        "REPLACE_WITH_EMPTY": "''" if own == "VARCHAR" else "NULL",
        "REPLACE_WITH_AVERAGE": f"avg({number}) OVER ()",
        "REPLACE_WITH_MEDIAN": f"median({number}) OVER ()",
        "REPLACE_WITH_SUM": f"sum({number}) OVER ()",
        "REPLACE_WITH_MAX": f"max({number}) OVER ()",
    }
    chosen = step.choice(
        "replaceType",
        [*values, "REPLACE_WITH_CUSTOM", "REPLACE_WITH_MODE", "WINSORIZE_VALUES"],
    )
    if chosen == "REPLACE_WITH_CUSTOM":
        value = step.number_text("value")
    elif chosen == "REPLACE_WITH_MODE":
        value = _mode(step, table, number)
    elif chosen == "WINSORIZE_VALUES":
        low, high = _percentiles(step, number)
        value = f"least(greatest({number}, {low}), {high})"
    else:
        value = values[chosen]
    whole = value in ("NULL", "''") or own == "VARCHAR" or not is_integer(own)
    kind = own if whole else "DOUBLE"
    test = outlier(step, number) if chosen == "WINSORIZE_VALUES" else _trimmed(step, number)
    changed = (
        f"CASE WHEN {test} THEN CAST({value} AS {kind}) ELSE {cast(ident(column), own, kind)} END"
    )
    return with_changed(table, column, changed, kind, condition_sql(step, table))


def rescale_z_score(step: Step, table: Table, context: Context) -> Selected:
    """Outliers as their standard score; other values as they are."""
    _, number = _number(step, table)
    value = f"CASE WHEN {outlier(step, number)} THEN {z_score(number)} ELSE {number} END"
    return add(step, table, value, "DOUBLE")


def rescale_skew(step: Step, table: Table, context: Context) -> Selected:
    _, number = _number(step, table)
    value = f"CASE WHEN {outlier(step, number)} THEN {transformed(step, number)} ELSE {number} END"
    return add(step, table, value, "DOUBLE")


OPERATIONS: dict[str, Compile] = {
    "BINARIZATION": binarization,
    "BUCKETIZATION": bucketization,
    "CATEGORICAL_MAPPING": categorical_mapping,
    "NORMALIZATION": scale,
    "SCALE": scale,
    "SKEWNESS": skewness,
    "FLAG_OUTLIERS": flag_outliers,
    "REMOVE_OUTLIERS": remove_outliers,
    "REPLACE_OUTLIERS": replace_outliers,
    "RESCALE_OUTLIERS_WITH_SKEW": rescale_skew,
    "RESCALE_OUTLIERS_WITH_Z_SCORE": rescale_z_score,
}
ORDERED: frozenset[str] = frozenset()
