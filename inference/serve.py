"""The model behind the endpoint: model_fn and transform_fn (script mode hosting).

The container answers every exception of a script's functions with 500 and an HTML page (Transformer
of sagemaker-containers 2.8.6). So what is wrong with a request is no exception here: `transform_fn`
returns it as a response of its own, text/plain with the status that says why.

What `/invocations` takes and gives:

* text/csv: one or many lines of 18 numbers, in the order of `WIRE_FEATURES`, no header. A cell is
  empty (in JSON a value null) where it cannot be known, for features that training had so too.
* application/json: `{"rows": [{"up_orders": 1, ...}, ...]}` by name, in any order. Beside `rows`:
  `"explain": true` asks for each feature's contribution, `"request_id"` comes back in the log.
  `{"describe": true}` instead of rows asks what the model is.
  What else can be asked about a customer by number: `customers.py`.
* Accept text/csv: one probability a line. Accept application/json, which is what the container
  says for a caller without Accept:
  `{"predictions": [{"probability": 0.1, "will_buy": false}], "threshold": 0.2, "model": "run"}`;
  explained predictions also have `bias` and `contributions` by feature (XGBoost's own SHAP
  values, in log-odds): bias + contributions = ln(probability / (1 - probability)).

A model may take more than the 18: a CSV line leaves the others missing, JSON may name them. A
feature that JSON leaves out is missing; a name that the model does not know is refused.

The functions share nothing but the model, which they only read: threads may call them at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xgboost as xgb
from flask import Response

if not __package__:
    # The container has these modules at its top level; they call their folder `inference`.
    beside = ModuleType("inference")
    beside.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules.setdefault("inference", beside)

from inference import customers
from inference.asked import Counts
from inference.booster import probabilities
from inference.features import NAMES as WIRE_FEATURES

MODEL_FILE = "xgboost-model"
DESCRIPTION_FILE = "model.json"

CSV = "text/csv"
JSON = "application/json"

# InvokeEndpoint takes at most 6,291,456 bytes (botocore's model of Body).
MAX_BODY_BYTES = 6_291_456
MAX_ROWS = 20_000
MAX_EXPLAINED_ROWS = 1_000  # an explanation takes about a hundred times as long as a prediction
MAX_REQUEST_ID = 100

# What model.json tells of the model beside its features, threshold and run.
TOLD = ("trained_at", "versions", "trained_on", "holdout")


class RequestError(ValueError):
    """The request cannot be answered; `status_code` is the HTTP status that says why."""

    status_code = 400


class BodyTooLargeError(RequestError):
    """More bytes or rows than the limits above."""

    status_code = 413


class ContentTypeError(RequestError):
    """The body is neither text/csv nor application/json."""

    status_code = 415


class NotAcceptableError(RequestError):
    """The caller accepts neither text/csv nor application/json."""

    status_code = 406


@dataclass(frozen=True)
class Model:
    """A booster, the features it takes in their order, where yes begins, and its run's name.

    `told` has what else model.json says of it (`TOLD`).
    """

    booster: Any
    features: tuple[str, ...]
    threshold: float
    run: str
    told: Mapping[str, Any] = field(default_factory=dict)
    nullable: tuple[str, ...] = ()  # features that were null in rows it was trained on
    customers: customers.Customers | None = None  # none in models from before there were
    asked: Counts | None = None  # what this process was asked


@dataclass(frozen=True)
class Rows:
    """A request's rows: `values` is (rows, len(names)) float32, NaN where a row leaves one out."""

    names: tuple[str, ...]
    values: Any
    explain: bool = False
    request_id: str = ""
    nulls: tuple[str, ...] = ()  # the names under which a row has null


@dataclass(frozen=True)
class Describe:
    """The question what the model is."""


@dataclass(frozen=True)
class Told:
    """An answer about customers, as JSON."""

    body: dict[str, Any]


@dataclass(frozen=True)
class Prediction:
    """`probability` (rows,) float32, with the model that gave it.

    `contributions`, where asked for: (rows, features + 1) float32 in log-odds, the bias last.
    """

    probability: Any
    model: Model
    contributions: Any = None


def model_fn(model_dir: str) -> Model:
    """The model saved in `model_dir` (`xgboost-model`, `model.json`).

    Raises ValueError when the two do not fit together, OSError when one is missing.
    """
    folder = Path(model_dir)
    told = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    # One thread a request: rows are few, and requests come in parallel.
    booster = xgb.Booster({"nthread": 1})
    raw = (folder / MODEL_FILE).read_bytes()
    kept = told.get("model_sha256")  # none in models from before there was
    if kept is not None and hashlib.sha256(raw).hexdigest() != kept:
        raise ValueError(
            f"{MODEL_FILE} is not the one that {told['run']} made: its SHA-256 differs."
        )
    booster.load_model(bytearray(raw))
    features = tuple(told["features"])
    threshold = float(told["threshold"])
    if booster.num_features() != len(features):
        raise ValueError(
            f"{DESCRIPTION_FILE} names {len(features)} features, {MODEL_FILE} takes "
            f"{booster.num_features()}."
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"{DESCRIPTION_FILE}: threshold is {threshold}; accepted: 0 to 1.")
    return Model(
        booster,
        features,
        threshold,
        str(told["run"]),
        {k: told[k] for k in TOLD if k in told},
        tuple(told.get("nullable", ())),
        customers.load(folder / customers.FOLDER),
        Counts(told["profile"]["features"], str(told["run"])) if "profile" in told else None,
    )


Asked = Rows | Describe | customers.Question


def transform_fn(
    model: Model, body: bytes | str, content_type: str, accept: str
) -> tuple[str, str] | Response:
    """The answer to one request: a body and its content type, or a response that refuses it.

    400: the body is wrong; 413: too much of it; 415: neither CSV nor JSON; 406: neither is wanted.
    """
    try:
        return write_answer(predict(read_request(body, content_type), model), accept)
    except RequestError as refused:
        return Response(str(refused), status=refused.status_code, mimetype="text/plain")


def read_request(body: bytes | str, content_type: str | None) -> Asked:
    """The rows of a request body, or the question what the model is or about a customer.

    Raises RequestError, naming row and column, when it has neither.
    """
    data = body.encode("utf-8") if isinstance(body, str) else bytes(body)
    if len(data) > MAX_BODY_BYTES:
        raise BodyTooLargeError(
            f"The body has {len(data)} bytes; at most {MAX_BODY_BYTES} are read."
        )
    kind = media_type(content_type)
    if kind not in READERS:
        raise ContentTypeError(f"Content type {content_type!r}; accepted: {' and '.join(READERS)}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"The body is not UTF-8: {error}") from error
    return READERS[kind](text)


def predict(rows: Asked, model: Model) -> Prediction | Model | Told:
    """The probability of each row, explained if asked; for `Describe` the model itself; for a
    question about a customer its answer.

    Raises RequestError for a name that the model does not know.
    """
    if isinstance(rows, Describe):
        return model
    if isinstance(rows, customers.Question):
        if model.customers is None:
            raise RequestError(f"The model {model.run} knows no customers by number.")
        body = customers.answer(
            rows, model.customers, model.features, lambda matrix: explain(model, matrix)
        )
        return Told({**body, "threshold": model.threshold, "model": model.run})
    started = time.perf_counter()
    unknown = [name for name in rows.names if name not in model.features]
    if unknown:
        raise RequestError(
            f"Unknown features: {', '.join(map(repr, unknown[:20]))}. "
            f"The model takes: {', '.join(model.features)}."
        )
    strange = [name for name in rows.nulls if name not in model.nullable]
    if strange:
        raise RequestError(
            f"{', '.join(strange)}: null was never seen in training. "
            f"Null is taken for: {', '.join(model.nullable) or 'no feature'}."
        )
    matrix = np.full((len(rows.values), len(model.features)), np.nan, dtype=np.float32)
    for position, name in enumerate(rows.names):
        matrix[:, model.features.index(name)] = rows.values[:, position]
    if model.asked is not None:
        model.asked.add(rows.names, rows.values)
    probability = probabilities(model.booster, matrix)
    contributions = explain(model, matrix) if rows.explain else None
    if rows.request_id:
        line = {
            "request_id": rows.request_id,
            "rows": len(matrix),
            "explain": rows.explain,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        }
        print(json.dumps(line), flush=True)
    return Prediction(probability, model, contributions)


def explain(model: Model, matrix: Any) -> Any:
    """Each feature's contribution to the log-odds, and the bias in the last column: float32
    (rows, features + 1). A DMatrix of its own for each call: threads share nothing but the trees.
    """
    return model.booster.predict(
        xgb.DMatrix(matrix, nthread=1), pred_contribs=True, validate_features=False
    )


def write_answer(prediction: Prediction | Model | Told, accept: str | None) -> tuple[str, str]:
    """The body and its content type. Without a preference (`*/*` or none) that is text/csv.

    The probabilities are the model's float32 written out exactly, so that whoever compares one
    with the threshold comes to the same answer as here. Explanations and descriptions have the
    one form application/json. Raises NotAcceptableError.
    """
    wanted = [media_type(part) for part in (accept or "*/*").split(",")]
    kind = next((ACCEPTS[part] for part in wanted if part in ACCEPTS), None)
    if kind is None:
        raise NotAcceptableError(f"Accept {accept!r}; possible: {CSV} and {JSON}.")
    if isinstance(prediction, Model | Told) or prediction.contributions is not None:
        if JSON not in (ACCEPTS.get(part) for part in wanted) and "*/*" not in wanted:
            raise NotAcceptableError(f"Accept {accept!r}; possible for this answer: {JSON}.")
        kind = JSON
    if isinstance(prediction, Model):
        return json.dumps(describe(prediction)), JSON
    if isinstance(prediction, Told):
        return json.dumps(prediction.body), JSON
    probabilities = [float(p) for p in prediction.probability]
    if kind == CSV:
        return "".join(f"{p!r}\n" for p in probabilities), CSV
    threshold = prediction.model.threshold
    predictions: list[dict[str, Any]] = [
        {"probability": p, "will_buy": p >= threshold} for p in probabilities
    ]
    if prediction.contributions is not None:
        names = prediction.model.features
        for entry, (*values, bias) in zip(
            predictions, prediction.contributions.tolist(), strict=True
        ):
            entry |= {"bias": bias, "contributions": dict(zip(names, values, strict=True))}
    answer = {"predictions": predictions, "threshold": threshold, "model": prediction.model.run}
    return json.dumps(answer), JSON


def describe(model: Model) -> dict[str, Any]:
    """What the model is, and what model.json tells of its training."""
    return {
        "model": model.run,
        "threshold": model.threshold,
        "features": list(model.features),
        **model.told,
    }


ACCEPTS = {"*/*": CSV, "text/*": CSV, CSV: CSV, "application/*": JSON, JSON: JSON}


def media_type(header: str | None) -> str:
    """`text/csv` of `Text/CSV; charset=utf-8`."""
    return (header or "").partition(";")[0].strip().lower()


def read_csv(text: str) -> Rows:
    """Lines of 18 numbers."""
    lines = text.replace("\r\n", "\n").strip("\n ").split("\n")
    check_row_count(len(lines) if lines != [""] else 0)
    table = [line.split(",") for line in lines]
    for row, cells in enumerate(table, start=1):
        if len(cells) != len(WIRE_FEATURES):
            raise RequestError(
                f"Row {row} has {len(cells)} values; accepted: {len(WIRE_FEATURES)}."
            )
    if "_" not in text:  # float() takes 1_000, which no CSV means
        with contextlib.suppress(ValueError):  # an empty cell, or what is no number
            numbers = [[*map(float, cells)] for cells in table]
            return finite_rows(WIRE_FEATURES, numbers, True, ())
    numbers = [
        [read_number(row, n, c) for n, c in zip(WIRE_FEATURES, cells, strict=True)]
        for row, cells in enumerate(table, start=1)
    ]
    given = [[bool(cell.strip()) for cell in cells] for cells in table]
    return finite_rows(WIRE_FEATURES, numbers, given, null_unless_given(WIRE_FEATURES, given))


def read_json(text: str) -> Asked:
    """`{"rows": [{name: number}]}`, with `explain` and `request_id`, or `{"describe": true}`."""
    try:
        told = json.loads(text, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON: {error}") from error
    request_id = told.pop("request_id", "") if isinstance(told, dict) else ""
    if not isinstance(request_id, str) or len(request_id) > MAX_REQUEST_ID:
        raise RequestError(f"request_id is not a text of at most {MAX_REQUEST_ID} characters.")
    if isinstance(told, dict) and set(told) == {"describe"} and told["describe"] is True:
        return Describe()
    explained = told.pop("explain", False) if isinstance(told, dict) else False
    if not isinstance(explained, bool):
        raise RequestError("explain is neither true nor false.")
    if isinstance(told, dict):
        try:
            question = customers.read(told, explained)
        except ValueError as error:
            raise RequestError(str(error)) from error
        if question is not None:
            return question
    rows = told.get("rows") if isinstance(told, dict) and set(told) == {"rows"} else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RequestError('The body is not of the form {"rows": [{"up_orders": 1, ...}]}.')
    check_row_count(len(rows), MAX_EXPLAINED_ROWS if explained else MAX_ROWS)
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise RequestError("Not one feature is given.")
    if len(names) > 10 * len(WIRE_FEATURES):  # bounds the table below, whatever is sent
        raise RequestError(f"The rows have {len(names)} different names.")
    table = [[*map(row.get, names)] for row in rows]
    given: bool | list[list[bool]] = True
    nulls: tuple[str, ...] = ()
    if {type(value) for values in table for value in values} != {float}:
        given = [[value is not None for value in values] for values in table]
        nulls = tuple(n for n in names if any(n in row and row[n] is None for row in rows))
        table = [
            [json_number(i, n, value) for n, value in zip(names, values, strict=True)]
            for i, values in enumerate(table, start=1)
        ]
    return replace(
        finite_rows(names, table, given, nulls), explain=explained, request_id=request_id
    )


READERS = {CSV: read_csv, JSON: read_json}


def check_row_count(count: int, most: int = MAX_ROWS) -> None:
    if count == 0:
        raise RequestError("The body has no row.")
    if count > most:
        raise BodyTooLargeError(f"The body has {count} rows; at most {most} are answered at once.")


def null_unless_given(names: tuple[str, ...], given: list[list[bool]]) -> tuple[str, ...]:
    return tuple(
        n for n, column in zip(names, zip(*given, strict=True), strict=True) if not all(column)
    )


def read_number(row: int, name: str, text: str) -> float:
    """The number in a cell; NaN of an empty one."""
    if not text.strip():
        return math.nan
    try:
        if "_" in text:
            raise ValueError(text)
        return float(text)
    except ValueError as error:
        raise RequestError(f"Row {row}, {name}: {text.strip()[:40]!r} is not a number.") from error


def json_number(row: int, name: str, value: object) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, float):  # parse_int makes every number a float; True is not one
        raise RequestError(f"Row {row}, {name[:40]!r}: {str(value)[:40]!r} is not a number.")
    return value


def finite_rows(
    names: tuple[str, ...],
    table: Sequence[Sequence[float]],
    given: bool | Sequence[Sequence[bool]],
    nulls: tuple[str, ...],
) -> Rows:
    """The table as float32. Raises RequestError for a given value that float32 cannot hold."""
    with np.errstate(over="ignore"):
        values = np.asarray(table, dtype=np.float64).astype(np.float32)
    wrong = ~np.isfinite(values) & np.asarray(given, dtype=bool)
    if wrong.any():
        row, position = (int(i) for i in np.argwhere(wrong)[0])
        raise RequestError(f"Row {row + 1}, {names[position]}: the value is not a finite number.")
    return Rows(names, values, nulls=nulls)
