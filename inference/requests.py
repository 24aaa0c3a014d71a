"""Reads and checks what a request asks: the rows of POST /predict, and the query string.

Everything that is wrong with a request is found here, with one entry in `errors` for each wrong
value, before the endpoint is asked.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from inference.features import FEATURES, POSITIONS, Feature
from inference.problems import ProblemError, bad_request

Json = dict[str, Any]
Row = dict[str, float | None]

MAX_BODY_BYTES = 1_048_576
MAX_ROWS = 1_000
MAX_EXPLAINED_ROWS = 100  # contributions take about a hundred times as long as a prediction
MAX_ERRORS = 50  # after so many the rest of a request is not looked at
MAX_ECHO = 40  # characters of a wrong value that are repeated

MAX_LISTED_PRODUCTS = 100
MAX_LISTED_CUSTOMERS = 50
MAX_DIGITS = 15  # every such number is exact as a float, in which JSON's numbers are read

PAIR = ("customer_id", "product_id")
DIGITS = re.compile(rf"\d{{1,{MAX_DIGITS}}}", re.ASCII)

CSV = "text/csv"
JSON = "application/json"

# Written with digits as people and programs write them; float() alone also takes "nan", "1_000"
# and other scripts' digits.
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def products_listed(text: str) -> int:
    return whole(text, 1, MAX_LISTED_PRODUCTS)


def customers_listed(text: str) -> int:
    return whole(text, 1, MAX_LISTED_CUSTOMERS)


def beginning(text: str) -> str:
    if text and not DIGITS.fullmatch(text):
        raise ValueError(text)
    return text


def whole(text: str, low: int, high: int) -> int:
    if not DIGITS.fullmatch(text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


# A query parameter's default, what is accepted, and its reader.
EXPLAIN = (False, "true, false", flag)
MOST_PRODUCTS = (20, f"1 to {MAX_LISTED_PRODUCTS}", products_listed)
MOST_CUSTOMERS = (10, f"1 to {MAX_LISTED_CUSTOMERS}", customers_listed)
BEGINNING = ("", f"at most {MAX_DIGITS} digits", beginning)
Parameter = tuple[Any, str, Callable[[str], Any]]


def read_query(event: Json, **accepted: Parameter) -> Json:
    """The query string's values (`?explain=true`), their defaults where it is silent.

    Raises ProblemError 400 for an unknown name, a value that is not accepted, and one given
    twice: a typing slip is better answered than ignored.
    """
    values = {name: default for name, (default, _, _) in accepted.items()}
    seen = set()
    for name, text in parse_qsl(str(event.get("rawQueryString") or ""), keep_blank_values=True):
        if name not in accepted:
            known = f"accepted: {', '.join(accepted)}" if accepted else "none is accepted here"
            raise bad_request(f"{echo(name)} is not a query parameter; {known}.")
        if name in seen:
            raise bad_request(f"The query parameter {name} is given twice.")
        _, accepts, reader = accepted[name]
        try:
            values[name] = reader(text)
        except ValueError as error:
            raise bad_request(f"{name} is {echo(text)}; accepted: {accepts}.") from error
        seen.add(name)
    return values


def read_number(name: str, text: str) -> int:
    """A number in the path. Raises ProblemError 400."""
    if not DIGITS.fullmatch(text):
        raise bad_request(f"{name} is {echo(text)}; accepted: at most {MAX_DIGITS} digits.")
    return int(text)


@dataclass(frozen=True)
class Pairs:
    """(customer, product) of each question; `one`: in the form for one."""

    pairs: list[tuple[int, int]]
    one: bool


def read_rows(event: Json) -> tuple[list[Row], bool] | Pairs:
    """The checked rows of a request, and whether it asks about one row in the one-row form; or
    its pairs of customer and product.

    Raises ProblemError (400, 413 or 415) saying what is wrong, with row, field and position.
    """
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (CSV, JSON):
        raise ProblemError(
            415,
            "Unsupported media type",
            f"Content-Type is {kind[:MAX_ECHO]!r}; accepted: {CSV} and {JSON}.",
            headers={"accept-post": f"{CSV}, {JSON}"},
        )
    text = read_body(event)
    told = parse_json(text) if kind == JSON else None
    if isinstance(told, dict) and {"pairs", *PAIR} & set(told):
        return read_pairs(told)
    found, one = read_csv(text) if kind == CSV else rows_of(told)
    if len(found) > MAX_ROWS:
        raise ProblemError(
            413, "Too many rows", f"{len(found)} rows were sent; at most {MAX_ROWS} are answered."
        )
    rows: list[Row] = []
    errors: list[Json] = []
    for number, given in enumerate(found, start=1):
        row, found_wrong = check_row(number, given)
        rows.append(row)
        errors += found_wrong
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        count = "One value is" if len(errors) == 1 else f"{len(errors)} values are"
        if len(errors) >= MAX_ERRORS:
            count = f"At least {MAX_ERRORS} values are"
        raise ProblemError(400, "Bad request", f"{count} wrong: {errors[0]['detail']}", errors)
    return rows, one


def read_body(event: Json) -> str:
    """The body as text. Raises ProblemError 400 or 413."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_request(f"The body is not valid base64: {error}.") from error
    else:
        data = body.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BODY_BYTES:
        raise ProblemError(
            413,
            "Body too large",
            f"The body has {len(data)} bytes; at most {MAX_BODY_BYTES} are read.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_request("The body is not UTF-8 text.") from error
    if not text.strip():
        raise bad_request(f"The body is empty; accepted: {len(FEATURES)} numbers, or JSON.")
    return text


def read_csv(text: str) -> tuple[list[Json], bool]:
    """The numbers of each line by name. Raises ProblemError 400 on a wrong count of them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    if len(lines) > MAX_ROWS:  # before work goes into them
        return [{}] * len(lines), False
    rows: list[Json] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != len(FEATURES):
            detail = f"Row {number} has {len(cells)} values; accepted: {len(FEATURES)}."
            if len(cells) < len(FEATURES):
                after = f" The first missing one is {len(cells) + 1}, {FEATURES[len(cells)].name}."
                detail += after if line.strip() else ""
            raise bad_request(detail, [{"row": number, "detail": detail}])
        rows.append({f.name: number_of(cell) for f, cell in zip(FEATURES, cells, strict=True)})
    return rows, len(rows) == 1


def number_of(cell: str) -> float | str:
    """The cell's number, or the cell as it is when it is none."""
    return float(cell) if NUMBER.fullmatch(cell) else cell


def parse_json(text: str) -> Any:
    """What a JSON body holds; its numbers are floats. Raises ProblemError 400."""
    try:
        return json.loads(
            text, parse_int=float, object_pairs_hook=unique_names, parse_constant=no_constant
        )
    except RecursionError as error:
        raise bad_request("The body is not the JSON that is needed: nested too deeply.") from error
    except ValueError as error:
        raise bad_request(f"The body is not valid JSON: {error}.") from error


def rows_of(told: Any) -> tuple[list[Json], bool]:
    """The objects of a JSON body. Raises ProblemError 400 on anything but an object or `rows`."""
    one = isinstance(told, dict) and "rows" not in told
    rows = [told] if one else told.get("rows") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_request('The body is neither {"up_orders": 1, ...} nor {"rows": [{...}, ...]}.')
    if not one and set(told) != {"rows"}:
        others = ", ".join(repr(name[:MAX_ECHO]) for name in told if name != "rows")
        raise bad_request(f"Beside rows the body holds {others[:400]}; accepted: rows alone.")
    if not rows:
        raise bad_request("rows is empty; at least one row is needed.")
    return rows, one


def read_pairs(told: Json) -> Pairs:
    """`{"customer_id": 17, "product_id": 24852}`, or `{"pairs": [{...}, ...]}` of such.

    Raises ProblemError 400, with an entry for each wrong value, or 413.
    """
    one = "pairs" not in told
    entries = [told] if one else told["pairs"]
    if not one and set(told) != {"pairs"}:
        others = ", ".join(repr(name[:MAX_ECHO]) for name in told if name != "pairs")
        raise bad_request(f"Beside pairs the body holds {others[:400]}; accepted: pairs alone.")
    if not isinstance(entries, list) or not entries:
        raise bad_request("pairs is not a list of at least one customer and product.")
    if len(entries) > MAX_EXPLAINED_ROWS:
        raise ProblemError(
            413,
            "Too many pairs",
            f"{len(entries)} pairs were sent; at most {MAX_EXPLAINED_ROWS} are answered.",
        )
    errors: list[Json] = []
    pairs = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise bad_request(f"Pair {number} is no object with {' and '.join(PAIR)}.")
        for name in (*PAIR, *(name for name in entry if name not in PAIR)):
            reason = reason_against_id(name, entry)
            if reason:
                detail = f"Row {number}: {echo(name)} {reason}"
                errors.append({"row": number, "field": name[:MAX_ECHO], "detail": detail})
        if not errors:
            pairs.append((int(entry[PAIR[0]]), int(entry[PAIR[1]])))
    if errors:
        raise bad_request(f"{len(errors)} wrong: {errors[0]['detail']}", errors)
    return Pairs(pairs, one)


def reason_against_id(name: str, entry: Json) -> str | None:
    accepts = "accepted: a whole number from 0 to 999999999999999."
    if name not in PAIR:
        return f"is not known here; accepted: {' and '.join(PAIR)}."
    if name not in entry:
        return f"is missing; {accepts}"
    value = entry[name]
    if not isinstance(value, float) or not value.is_integer() or not 0 <= value < 10**MAX_DIGITS:
        return f"is {echo(value)}; {accepts}"
    return None


def check_row(number: int, given: Json) -> tuple[Row, list[Json]]:
    """The row's numbers in the features' order, and what is wrong with them."""
    unknown = [name for name in given if name not in POSITIONS][:MAX_ERRORS]
    errors = [wrong(number, name, f"is not a feature.{suggestion(name)}") for name in unknown]
    row: Row = {}
    for feature in FEATURES:
        if feature.name not in given:
            errors.append(wrong(number, feature.name, f"is missing; accepted: {feature.accepts}."))
            continue
        value = given[feature.name]
        if feature.nullable and value in (None, ""):
            row[feature.name] = None
            continue
        reason = reason_against(feature, value)
        if reason:
            errors.append(wrong(number, feature.name, reason))
        else:
            row[feature.name] = float(value)
    return row, errors


def reason_against(feature: Feature, value: object) -> str | None:
    """Why the value is not accepted; None when it is. Both readers make every number a float."""
    if value == "":
        return f"is empty; accepted: {feature.accepts}."
    if not isinstance(value, float):
        return f"is {echo(value)}, not a number; accepted: {feature.accepts}."
    if not math.isfinite(value) or not feature.low <= value <= feature.high:
        return f"is {value:g}; accepted: {feature.accepts}."
    if feature.whole and not value.is_integer():
        return f"is {value:g}; accepted: {feature.accepts}."
    return None


def wrong(row: int, name: str, reason: str) -> Json:
    """One entry of `errors`: the row (from 1), the field, its position in a CSV line, and why."""
    position = POSITIONS.get(name)
    place = f"value {position}, {name}," if position else f"{echo(name)}"
    entry: Json = {"row": row, "field": name[:MAX_ECHO], "detail": f"Row {row}: {place} {reason}"}
    return {**entry, "position": position} if position else entry


def suggestion(name: str) -> str:
    close = difflib.get_close_matches(name[:MAX_ECHO], POSITIONS, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def echo(value: object) -> str:
    """What was given, short enough to be repeated."""
    text = json.dumps(value)
    return text if len(text) <= MAX_ECHO else f"{text[:MAX_ECHO]}..."


def unique_names(pairs: list[tuple[str, Any]]) -> Json:
    """A JSON object; a name that stands in it twice is an error, not a choice of the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"{echo(counts.most_common(1)[0][0])} is given twice")
    return found


def no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
