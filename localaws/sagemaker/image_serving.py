"""What the XGBoost image serves a model with by itself: the functions that a script need not have,
and its algorithm mode, where there is no script. Runs inside "the container".

github.com/aws/sagemaker-xgboost-container: encoder.py, serving.py, algorithm_mode/serve.py and
serve_utils.py; how answers are written: sagemaker-containers 2.8.6, _encoders.py.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import numpy as np
import xgboost
from scipy.sparse import csr_matrix

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
RECORDS = "application/x-recordio-protobuf"
LIBSVM = ("text/libsvm", "text/x-libsvm")
ACCEPTED = (JSON, JSON_LINES, RECORDS, CSV)
MOST_MB = 6


class UnsupportedFormat(Exception):
    """A content type that the image's toolkit neither reads nor writes."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"Content type {kind} is not supported by this framework.\n\nPlease implement input_fn"
            " to to deserialize the request data or an output_fn to\nserialize the response. For"
            " more information, see the SageMaker Python SDK README."
        )


def media_type(header: str) -> str:
    """`text/csv` of `text/csv; charset=utf-8`."""
    return header.partition(";")[0].strip()


# -- the defaults of a script's functions ----------------------------------------------------------


def input_fn(body: bytes | str, content_type: str) -> xgboost.DMatrix:
    kind = media_type(content_type)
    if kind not in READERS:
        raise UnsupportedFormat(kind)
    return READERS[kind](body if isinstance(body, str) else body.decode())


def predict_fn(data: xgboost.DMatrix, model: xgboost.Booster) -> Any:
    return model.predict(data, validate_features=False)


def output_fn(prediction: Any, accept: str) -> flask.Response:
    return flask.Response(encode(prediction, accept), mimetype=accept)


def from_csv(text: str) -> xgboost.DMatrix:
    """Lines of numbers; the separator is what the first line looks like."""
    found = csv.Sniffer().sniff(text.split("\n")[0][:512]).delimiter
    separator = "," if found.isalnum() else found
    rows = [["nan" if cell == "" else cell for cell in line.split(separator)]
            for line in text.split("\n")]  # fmt: skip
    return xgboost.DMatrix(np.array(rows).astype(float))


def from_libsvm(text: str) -> xgboost.DMatrix:
    """`label index:value ...`, a default function's: what is not there is 0."""
    cells = csr_matrix(*libsvm(text))
    return xgboost.DMatrix(cells.toarray())


def libsvm(text: str) -> tuple[tuple[list[float], tuple[list[int], list[int]]], tuple[int, int]]:
    """((values, (rows, columns)), shape). Indices that begin with 1 are shifted to 0."""
    found = [
        (row, int(index), float(value))
        for row, line in enumerate(text.strip().split("\n"))
        for index, colon, value in (token.partition(":") for token in line.split())
        if colon
    ]
    first = 1 if min((index for _, index, _ in found), default=0) >= 1 else 0
    rows = [row for row, _, _ in found]
    columns = [index - first for _, index, _ in found]
    shape = (len(text.strip().split("\n")), max(columns, default=-1) + 1)
    return ([value for _, _, value in found], (rows, columns)), shape


READERS: dict[str, Callable[[str], xgboost.DMatrix]] = {
    CSV: from_csv,
    **dict.fromkeys(LIBSVM, from_libsvm),
}


def encode(values: Any, accept: str) -> bytes | str:
    """Predictions as the toolkit writes them."""
    if accept == JSON:
        return json.dumps(values, default=lambda value: value.tolist())
    if accept == CSV:
        text = io.StringIO()
        np.savetxt(text, values, delimiter=",", fmt="%s")
        return text.getvalue()
    if accept == "application/x-npy":
        data = io.BytesIO()
        np.save(data, values)
        return data.getvalue()
    raise UnsupportedFormat(accept)


# -- the algorithm mode ----------------------------------------------------------------------------


def algorithm(model_dir: str) -> flask.Flask:
    """The application that serves the file in `model_dir`. Raises for one that is no model."""
    model = load(Path(model_dir))
    batch = os.environ.get("SAGEMAKER_BATCH")
    app = flask.Flask("algorithm")

    def invocations() -> flask.Response:
        asked = flask.request
        if not asked.data:
            return flask.Response("", 204)
        try:
            data = parsed(asked.data, asked.content_type)
        except Exception as problem:
            return flask.Response(str(problem), 415)
        try:
            found = model.predict(data, validate_features=False).tolist()
        except Exception as problem:
            return flask.Response(f"Unable to evaluate payload provided: {problem}", 400)
        accept = media_type(asked.headers.get("accept", ""))
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
        elif accept.lower() not in ACCEPTED:
            return flask.Response(
                f"Accept type {accept} is not supported. Please use supported accept types: "
                f"{sorted(ACCEPTED)}.",
                406,
            )
        return flask.Response(written(found, accept.lower(), batch), mimetype=accept.lower())

    def parameters() -> flask.Response:
        told = {"MaxConcurrentTransforms": os.cpu_count(), "BatchStrategy": "MULTI_RECORD"}
        return flask.Response(json.dumps(told | {"MaxPayloadInMB": MOST_MB}), mimetype=JSON)

    app.add_url_rule("/invocations", view_func=invocations, methods=["POST"])
    app.add_url_rule("/execution-parameters", view_func=parameters)
    app.add_url_rule("/ping", endpoint="ping", view_func=flask.Response)
    return app


def written(found: list[Any], accept: str, batch: str | None) -> bytes | str:
    """The predictions of one request. A batch transform has a line for each, whatever it asks."""
    if batch:
        return "\n".join(map(str, found)) + "\n"
    if accept == JSON:
        return json.dumps({"predictions": [{"score": value} for value in found]})
    return encode(found, accept)


def parsed(body: bytes, content_type: str | None) -> xgboost.DMatrix:
    """A request's rows. RuntimeError for what is not readable as what it is said to be."""
    kind = media_type((content_type or LIBSVM[0]).lower())
    name = "csv" if kind in ("csv", CSV) else "libsvm" if kind in ("libsvm", *LIBSVM) else None
    if name is None:
        raise RuntimeError(f"Content-type {content_type} is not supported.")
    try:
        text = body.strip().decode()
        if name == "csv":
            return from_csv(text)
        return xgboost.DMatrix(csr_matrix(*libsvm(text)))  # what is not there is missing
    except Exception as problem:
        raise RuntimeError(
            f"Loading {name} data failed with Exception, please ensure data is in {name} format:"
            f"\n {type(problem)}\n {problem}"
        ) from problem


def load(folder: Path) -> xgboost.Booster:
    """The one model of an archive, as XGBoost saved it or pickled, as early images did."""
    files = [one for one in folder.iterdir() if one.is_file() and not one.name.startswith(".")]
    if len(files) != 1:
        raise RuntimeError(
            f"The archive holds {sorted(one.name for one in files)} at its top; one model is"
            " served, ensembles are not."
        )
    try:
        booster = xgboost.Booster()
        booster.load_model(files[0])
    except xgboost.core.XGBoostError:
        with files[0].open("rb") as data:  # the caller's own, in a process of its own
            booster = pickle.load(data)
    booster.set_param("nthread", 1)
    return booster
