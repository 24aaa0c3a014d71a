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
from typing import Any
from urllib.parse import parse_qsl

from inference.features import FEATURES, POSITIONS, Feature
from inference.problems import ProblemError, bad_request

Json = dict[str, Any]
Row = dict[str, float]

MAX_BODY_BYTES = 1_048_576
MAX_ROWS = 1_000
MAX_EXPLAINED_ROWS = 100  # contributions take about a hundred times as long as a prediction
MAX_ERRORS = 50  # after so many the rest of a request is not looked at
MAX_ECHO = 40  # characters of a wrong value that are repeated

CSV = "text/csv"
JSON = "application/json"

# Written with digits as people and programs write them; float() alone also takes "nan", "1_000"
# and other scripts' digits.
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_flags(event: Json, *accepted: str) -> dict[str, bool]:
    """The query string's flags (`?explain=true`), false where it is silent.

    Raises ProblemError 400 for an unknown name, another value than true or false, and one given
    twice: a typing slip is better answered than ignored.
    """
    flags = dict.fromkeys(accepted, False)
    seen = set()
    for name, value in parse_qsl(str(event.get("rawQueryString") or ""), keep_blank_values=True):
        if name not in flags:
            known = f"accepted: {', '.join(accepted)}" if accepted else "none is accepted here"
            raise bad_request(f"{echo(name)} is not a query parameter; {known}.")
        if name in seen:
            raise bad_request(f"The query parameter {name} is given twice.")
        if value not in ("true", "false"):
            raise bad_request(f"{name} is {echo(value)}; accepted: true, false.")
        seen.add(name)
        flags[name] = value == "true"
    return flags


def read_rows(event: Json) -> tuple[list[Row], bool]:
    """The checked rows of a request, and whether it asks about one row in the one-row form.

    Raises ProblemError (400, 413 or 415) saying what is wrong, with row, field and position.
    """
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in READERS:
        raise ProblemError(
            415,
            "Unsupported media type",
            f"Content-Type is {kind[:MAX_ECHO]!r}; accepted: {' and '.join(READERS)}.",
            headers={"accept-post": ", ".join(READERS)},
        )
    found, one = READERS[kind](read_body(event))
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
    lines = re.split(r"\r\n|\n|\r", text.strip("\r\n"))
    if len(lines) > MAX_ROWS:  # before work goes into them
        return [{} for _ in lines], False
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


def read_json(text: str) -> tuple[list[Json], bool]:
    """The objects of a JSON body. Raises ProblemError 400 on anything but an object or `rows`."""
    try:
        told = json.loads(
            text, parse_int=float, object_pairs_hook=unique_names, parse_constant=no_constant
        )
    except RecursionError as error:
        raise bad_request("The body is not the JSON that is needed: nested too deeply.") from error
    except ValueError as error:
        raise bad_request(f"The body is not valid JSON: {error}.") from error
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


READERS = {CSV: read_csv, JSON: read_json}


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
