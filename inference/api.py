"""The Lambda behind the HTTP API: POST /predict and GET /health (payload format 2.0).

POST /predict takes the 18 features of one or many rows:

* text/csv: a line of 18 numbers in the order of `FEATURES`, no header; more lines, more rows.
* application/json: one object by name, `{"up_orders": 1, ...}`, or `{"rows": [{...}, ...]}`.

One CSV line or one object is answered `{"will_buy", "probability", "threshold", "model"}`; several
lines, or `rows`, with `{"predictions": [{"will_buy", "probability"}], "threshold", "model"}`.

Everything that is wrong with a request is found here and answered 4xx as
application/problem+json (RFC 9457), with one entry in `errors` for each wrong value. What is wrong
behind here is 503 (the endpoint is missing, not ready or out of reach: try again) or 502 (it
answered, but not with a prediction).

Environment: ENDPOINT_NAME, the SageMaker endpoint.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

Json = dict[str, Any]
Row = dict[str, float]

MAX_BODY_BYTES = 1_048_576
MAX_ROWS = 1_000
MAX_ERRORS = 50  # after so many the rest of a request is not looked at
MAX_ECHO = 40  # characters of a wrong value that are repeated

CSV = "text/csv"
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Feature:
    """One feature and the values that can occur in it."""

    name: str
    low: float
    high: float
    whole: bool = False

    @property
    def accepts(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:.12g}"


MANY = 1_000_000_000  # a generous end for counts: it keeps out typing slips, not big shops

# The 18 numbers in the order of a CSV line. A count starts at 0, a ratio lies between 0 and 1.
FEATURES = (
    Feature("up_orders", 0, 100_000, whole=True),
    Feature("user_mean_days_since_prior", 0, 3_660),  # days
    Feature("user_period", 0, 36_600),  # days
    Feature("user_distinct_products", 0, MANY, whole=True),
    Feature("user_reorder_ratio", 0, 1),
    Feature("user_total_products", 0, MANY, whole=True),
    Feature("up_average_cart_position", 0, 100_000),  # the first place in the cart is 1
    Feature("up_first_order", 0, 100_000, whole=True),
    Feature("user_orders", 0, 100_000, whole=True),
    Feature("up_last_order", 0, 100_000, whole=True),
    Feature("prod_orders", 0, MANY, whole=True),
    Feature("prod_reorder_probability", 0, 1),
    Feature("prod_reorder_times", 1, 100_000),  # 1 + reorders / first purchases
    Feature("prod_reorder_ratio", 0, 1),
    Feature("user_average_basket", 0, 100_000),
    Feature("up_order_rate", 0, 1),
    Feature("up_orders_since_last_order", 0, 100_000, whole=True),
    Feature("up_order_rate_since_first_order", 0, 1),
)
POSITIONS = {feature.name: position for position, feature in enumerate(FEATURES, start=1)}

# Written with digits as people and programs write them; float() alone also takes "nan", "1_000"
# and other scripts' digits.
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# What InvokeEndpoint says when the endpoint is missing, starting, or has no capacity left.
NOT_READY = {
    "ValidationError",
    "ValidationException",
    "ModelNotReadyException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "ThrottlingException",
    "InternalDependencyException",
}

# API Gateway gives up after 30 seconds: two tries of at most 2 + 10 stay below that.
sagemaker = boto3.client(
    "sagemaker-runtime",
    config=Config(
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 2},
    ),
)


class ProblemError(Exception):
    """A request that is answered with an error, as RFC 9457 writes it."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[Json] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.errors, self.headers = errors or [], headers or {}


def handler(event: Json, context: object) -> Json:
    """The answer to one HTTP request, in the form of payload format 2.0."""
    request_id = str((event.get("requestContext") or {}).get("requestId", ""))
    try:
        answer = route(event)(event)
    except ProblemError as problem:
        told: Json = {
            "type": "about:blank",
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
            "request_id": request_id,
        }
        if problem.errors:
            told["errors"] = problem.errors[:MAX_ERRORS]
        return response(problem.status, PROBLEM, told, request_id, problem.headers)
    return response(200, JSON, answer, request_id, {})


def response(status: int, kind: str, body: Json, request_id: str, more: dict[str, str]) -> Json:
    headers = {"content-type": kind, "cache-control": "no-store", "x-request-id": request_id}
    return {
        "statusCode": status,
        "headers": {**headers, **more},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def route(event: Json) -> Callable[[Json], Json]:
    """The function that answers this method and path. Raises ProblemError 404 or 405."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    method = str(http.get("method", "")).upper()
    path = str(event.get("rawPath") or http.get("path") or "")
    stage = str(context.get("stage", "$default"))
    if stage != "$default" and path.startswith(f"/{stage}/"):  # rawPath carries a named stage
        path = path[len(stage) + 1 :]
    methods = ROUTES.get(path)
    if methods is None:
        raise ProblemError(404, "Not found", f"{path!r} is not here; there is {', '.join(ROUTES)}.")
    if method not in methods:
        allowed = ", ".join(methods)
        raise ProblemError(
            405, "Method not allowed", f"{path} takes {allowed}.", headers={"allow": allowed}
        )
    return methods[method]


def predict(event: Json) -> Json:
    """POST /predict."""
    rows, one = read_rows(event)
    told = invoke(rows)
    if one:
        return {**told["predictions"][0], "threshold": told["threshold"], "model": told["model"]}
    return told


def health(event: Json) -> Json:
    """GET /health: asks the endpoint for one prediction, since only that shows that it answers."""
    lowest = {feature.name: feature.low for feature in FEATURES}
    return {"status": "ok", "model": invoke([lowest])["model"]}


ROUTES: dict[str, dict[str, Callable[[Json], Json]]] = {
    "/predict": {"POST": predict},
    "/health": {"GET": health},
}


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


def bad_request(detail: str, errors: list[Json] | None = None) -> ProblemError:
    return ProblemError(400, "Bad request", detail, errors)


def invoke(rows: list[Row]) -> Json:
    """The endpoint's answer for checked rows: `predictions`, `threshold` and `model`.

    Raises ProblemError 503 when the endpoint is missing, not ready or out of reach, and 502 when
    it fails or answers something else.
    """
    endpoint = os.environ.get("ENDPOINT_NAME", "")
    if not endpoint:
        raise unavailable("ENDPOINT_NAME is not set: the API knows no endpoint.")
    try:
        answer = sagemaker.invoke_endpoint(
            EndpointName=endpoint,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps({"rows": rows}).encode(),
        )
        body = answer["Body"].read()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        print(f"InvokeEndpoint {endpoint}: {error}")  # the log has the whole story
        if code in NOT_READY:
            raise unavailable(f"The endpoint {endpoint} is missing or not ready.") from error
        if code == "ModelError":
            raise bad_gateway(f"The model behind the endpoint {endpoint} failed.") from error
        raise bad_gateway(f"The endpoint {endpoint} could not be asked ({code}).") from error
    except BotoCoreError as error:
        print(f"InvokeEndpoint {endpoint}: {error}")
        raise unavailable(f"The endpoint {endpoint} cannot be reached.") from error
    return checked_answer(endpoint, body, len(rows))


def checked_answer(endpoint: str, body: bytes, rows: int) -> Json:
    """The endpoint's body with the members that are promised. Raises ProblemError 502."""
    try:
        told = json.loads(body)
        predictions = [
            {"will_buy": bool(p["will_buy"]), "probability": float(p["probability"])}
            for p in told["predictions"]
        ]
        if len(predictions) != rows or not all(0 <= p["probability"] <= 1 for p in predictions):
            raise ValueError(f"{len(predictions)} predictions for {rows} rows")
        return {
            "predictions": predictions,
            "threshold": float(told["threshold"]),
            "model": str(told["model"]),
        }
    except (ValueError, KeyError, TypeError) as error:
        print(f"InvokeEndpoint {endpoint} answered {body[:500]!r}: {error!r}")
        detail = f"The endpoint {endpoint} answered something that is not a prediction."
        raise bad_gateway(detail) from error


def unavailable(detail: str) -> ProblemError:
    return ProblemError(503, "Model not available", detail, headers={"retry-after": "10"})


def bad_gateway(detail: str) -> ProblemError:
    return ProblemError(502, "Model failed", detail)
