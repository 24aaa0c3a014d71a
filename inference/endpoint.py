"""Asks the SageMaker endpoint, and checks what it says. Environment: ENDPOINT_NAME."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from inference.problems import ProblemError, bad_gateway, bad_request, unavailable

Json = dict[str, Any]

JSON = "application/json"

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


def predictions(rows: list[dict[str, float | None]], explain: bool, request_id: str) -> Json:
    """The endpoint's answer for checked rows: `predictions`, `threshold` and `model`.

    With `explain` each prediction has `explanation`: `bias` and `contributions` by feature, in
    log-odds, whose sum is ln(probability / (1 - probability)).

    Raises ProblemError: 503 when the endpoint is missing, not ready or out of reach, 502 when it
    fails or answers something else, 501 when its model was published before explanations.
    """
    question: Json = {"rows": rows, "request_id": request_id}
    if explain:
        question["explain"] = True
    nulls = sorted({name for row in rows for name, value in row.items() if value is None})
    endpoint, told = ask(question, "explain" if explain else "", nulls)
    try:
        answered = [prediction(entry, explain) for entry in told["predictions"]]
        if len(answered) != len(rows):
            raise ValueError(f"{len(answered)} predictions for {len(rows)} rows")
        return {
            "predictions": answered,
            "threshold": float(told["threshold"]),
            "model": str(told["model"]),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_a_prediction(endpoint, error) from error


def prediction(told: Json, explain: bool) -> Json:
    """One entry of `predictions` with the members that are promised; ValueError and the like."""
    probability = float(told["probability"])
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability of {probability}")
    answer: Json = {"will_buy": bool(told["will_buy"]), "probability": probability}
    if explain:
        contributions = {str(k): float(v) for k, v in told["contributions"].items()}
        bias = float(told["bias"])
        if not all(map(math.isfinite, [bias, *contributions.values()])):
            raise ValueError("a contribution that is no number")
        answer["explanation"] = {"bias": bias, "contributions": contributions}
    return answer


def description(request_id: str) -> Json:
    """What the endpoint knows of its model: name, threshold, features, when and on what trained."""
    endpoint, told = ask({"describe": True, "request_id": request_id}, "describe itself")
    try:
        return {
            **told,
            "model": str(told["model"]),
            "threshold": float(told["threshold"]),
            "features": [str(name) for name in told["features"]],
        }
    except (ValueError, KeyError, TypeError) as error:
        raise not_a_prediction(endpoint, error) from error


def about_customers(question: Json, request_id: str) -> Json:
    """The endpoint's answer to a question of `customers.py`."""
    endpoint, told = ask({**question, "request_id": request_id}, "look customers up")
    if not isinstance(told, dict):
        raise not_a_prediction(endpoint, TypeError(type(told).__name__))
    return told


@contextmanager
def checking() -> Iterator[None]:
    """What is raised while an answer is read means that it is none: 502."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_a_prediction(os.environ.get("ENDPOINT_NAME", ""), error) from error


def ask(question: Json, ability: str, nulls: Sequence[str] = ()) -> tuple[str, Any]:
    """(the endpoint's name, its answer). `ability` is what a model of an older version lacks,
    `nulls` the features that are null in the question: a model refuses those it never saw so."""
    endpoint = os.environ.get("ENDPOINT_NAME", "")
    if not endpoint:
        raise unavailable("ENDPOINT_NAME is not set: the API knows no endpoint.")
    try:
        answer = sagemaker.invoke_endpoint(
            EndpointName=endpoint,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps(question).encode(),
        )
        return endpoint, json.loads(answer["Body"].read())
    except ClientError as error:
        raise problem_of(endpoint, error, ability, nulls) from error
    except BotoCoreError as error:
        cause = f"InvokeEndpoint {endpoint}: {error}"
        raise unavailable(f"The endpoint {endpoint} cannot be reached.", cause) from error
    except (ValueError, RecursionError) as error:
        raise not_a_prediction(endpoint, error) from error


def problem_of(
    endpoint: str, error: ClientError, ability: str, nulls: Sequence[str]
) -> ProblemError:
    """What an error of InvokeEndpoint means for the caller.

    A ModelError's message may repeat values of the request: the log gets its status and the place
    where the endpoint's own log is.
    """
    told = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    if code == "ModelError":
        status = error.response.get("OriginalStatusCode")
        cause = f"InvokeEndpoint {endpoint}: ModelError {status}, see {endpoint}'s log"
        if nulls and status == 400:
            return bad_request(
                f"{', '.join(nulls)}: the live model takes no null here, since there was none in "
                "what it was trained on."
            )
        if ability and status == 400:
            return ProblemError(
                501,
                "Model is too old for this",
                f"The model that is live was published before models could {ability}; "
                "the next run's can.",
                cause=cause,
            )
        return bad_gateway(f"The model behind the endpoint {endpoint} failed.", cause)
    cause = f"InvokeEndpoint {endpoint}: {code}: {told.get('Message', '')}"
    if code in NOT_READY:
        return unavailable(f"The endpoint {endpoint} is missing or not ready.", cause)
    return bad_gateway(f"The endpoint {endpoint} could not be asked ({code}).", cause)


def not_a_prediction(endpoint: str, error: Exception) -> ProblemError:
    return bad_gateway(
        f"The endpoint {endpoint} answered something that is not a prediction.",
        f"InvokeEndpoint {endpoint}: {error!r}"[:300],
    )
