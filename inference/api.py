"""The Lambda behind the HTTP API (payload format 2.0); `openapi.json` describes it in full.

* POST /predict: the 18 features of one or many rows, as text/csv (a line of 18 numbers in the
  order of `FEATURES`, no header; more lines, more rows) or application/json (one object by name,
  `{"up_orders": 1, ...}`, or `{"rows": [{...}, ...]}`). One line or one object is answered
  `{"will_buy", "probability", "threshold", "model"}`; several lines, or `rows`, with
  `{"predictions": [{"will_buy", "probability"}], "threshold", "model"}`. With `?explain=true` each
  prediction also says what every feature contributed to it.
  A customer and a product by number, `{"customer_id": 17, "product_id": 24852}` or `{"pairs":
  [{...}, ...]}`, are answered with names, days and reasons.
* GET /customers/{customer_id}/next-basket: what a customer will buy next. GET /customers: whose
  number begins so, and examples.
* GET /health: whether the model answers. GET /model: what it is. GET /openapi.json.

What is wrong with a request is answered 4xx as application/problem+json (RFC 9457). What is wrong
behind here is 503 (the endpoint is missing, not ready or out of reach: try again), 502 (it
answered, but not with a prediction) or 501 (its model is too old for what is asked).

Each request writes one line of JSON to the log: request id, method, path, status, rows,
milliseconds; never the body.

Environment: ENDPOINT_NAME, the SageMaker endpoint.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from inference import baskets, endpoint
from inference.features import FEATURES
from inference.problems import PROBLEM, ProblemError
from inference.requests import (
    BEGINNING,
    EXPLAIN,
    JSON,
    MAX_ECHO,
    MAX_ERRORS,
    MAX_EXPLAINED_ROWS,
    MOST_CUSTOMERS,
    MOST_PRODUCTS,
    Pairs,
    read_number,
    read_query,
    read_rows,
)

Json = dict[str, Any]


def handler(event: Json, context: object) -> Json:
    """The answer to one HTTP request, in the form of payload format 2.0."""
    started = time.perf_counter()
    line = log_line(event)
    headers: dict[str, str] = {}
    try:
        status, kind, body = 200, JSON, route(event)(event, line)
    except ProblemError as problem:
        status, kind, headers = problem.status, PROBLEM, problem.headers
        body = problem_body(problem, line["request_id"])
        line |= {"problem": problem.title}
        if problem.cause:
            line |= {"cause": problem.cause[:500]}
    except Exception as error:
        ours = ProblemError(500, "Internal error", "The API failed; its log says why.")
        status, kind, body = 500, PROBLEM, problem_body(ours, line["request_id"])
        # The message may repeat what was sent; the places in the code do not.
        frames = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        line |= {"problem": ours.title, "cause": f"{type(error).__name__} in {' '.join(frames)}"}
    line |= {"status": status, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
    print(json.dumps(line), flush=True)
    return {
        "statusCode": status,
        "headers": {
            "content-type": kind,
            "cache-control": "no-store",
            "x-request-id": line["request_id"],
            **headers,
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def log_line(event: Json) -> Json:
    """What is known of a request before anything is done."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    return {
        "request_id": str(context.get("requestId", "")),
        "method": str(http.get("method", ""))[:MAX_ECHO],
        "path": str(event.get("rawPath") or "")[:MAX_ECHO],
    }


def problem_body(problem: ProblemError, request_id: str) -> Json:
    told: Json = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    return {**told, "errors": problem.errors[:MAX_ERRORS]} if problem.errors else told


Operation = Callable[[Json, Json], Json]


def route(event: Json) -> Operation:
    """The function that answers this method and path. Raises ProblemError 404 or 405."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    method = str(http.get("method", "")).upper()
    path = str(event.get("rawPath") or http.get("path") or "")
    stage = str(context.get("stage", "$default"))
    if stage != "$default" and path.startswith(f"/{stage}/"):  # rawPath carries a named stage
        path = path[len(stage) + 1 :]
    methods = next((there for route, there in ROUTES.items() if matches(route, path)), None)
    if methods is None:
        there = ", ".join(ROUTES)
        raise ProblemError(404, "Not found", f"{path[:200]!r} is not here; there is {there}.")
    if method not in methods:
        allowed = ", ".join(methods)
        raise ProblemError(
            405, "Method not allowed", f"{path} takes {allowed}.", headers={"allow": allowed}
        )
    return methods[method]


def matches(route: str, path: str) -> bool:
    """Whether a path is of a route, in which `{...}` stands for any one segment."""
    asked, there = path.split("/"), route.split("/")
    return len(asked) == len(there) and all(
        part == segment or part.startswith("{") for part, segment in zip(there, asked, strict=True)
    )


def predict(event: Json, line: Json) -> Json:
    """POST /predict."""
    explain = read_query(event, explain=EXPLAIN)["explain"]
    asked = read_rows(event)
    if isinstance(asked, Pairs):
        line |= {"pairs": len(asked.pairs), "explain": explain}
        return baskets.predictions(asked, explain, line["request_id"])
    rows, one = asked
    line |= {"rows": len(rows), "explain": explain}
    if explain and len(rows) > MAX_EXPLAINED_ROWS:
        raise ProblemError(
            413,
            "Too many rows",
            f"{len(rows)} rows were sent; at most {MAX_EXPLAINED_ROWS} are explained at once.",
        )
    told = endpoint.predictions(rows, explain, line["request_id"])
    if one:
        return {**told["predictions"][0], "threshold": told["threshold"], "model": told["model"]}
    return told


def health(event: Json, line: Json) -> Json:
    """GET /health: asks the endpoint for one prediction, since only that shows that it answers."""
    read_query(event)
    lowest: dict[str, float | None] = {feature.name: feature.low for feature in FEATURES}
    return {
        "status": "ok",
        "model": endpoint.predictions([lowest], False, line["request_id"])["model"],
    }


def model(event: Json, line: Json) -> Json:
    """GET /model: name, threshold, features; when and on what it was trained, as far as it says."""
    read_query(event)
    return endpoint.description(line["request_id"])


def next_basket(event: Json, line: Json) -> Json:
    """GET /customers/{customer_id}/next-basket."""
    asked = read_query(event, most=MOST_PRODUCTS, explain=EXPLAIN)
    # In the path as it was sent: a proxy may have put a stage before it.
    customer = read_number("customer_id", str(event.get("rawPath", "")).split("/")[-2])
    return baskets.next_basket(customer, asked["most"], asked["explain"], line["request_id"])


def customers(event: Json, line: Json) -> Json:
    """GET /customers."""
    asked = read_query(event, beginning=BEGINNING, most=MOST_CUSTOMERS)
    return baskets.customers(asked["beginning"], asked["most"], line["request_id"])


def openapi(event: Json, line: Json) -> Json:
    """GET /openapi.json."""
    read_query(event)
    return description_of_this()


@cache
def description_of_this() -> Json:
    document: Json = json.loads(Path(__file__).with_name("openapi.json").read_bytes())
    return document


ROUTES: dict[str, dict[str, Operation]] = {
    "/predict": {"POST": predict},
    "/customers": {"GET": customers},
    "/customers/{customer_id}/next-basket": {"GET": next_basket},
    "/health": {"GET": health},
    "/model": {"GET": model},
    "/openapi.json": {"GET": openapi},
}
