"""Smoke test: the endpoint answers the golden rows with the probabilities training wrote down."""

from __future__ import annotations

import os
from typing import Any

from tasks.functions import storage

Json = dict[str, Any]

TOLERANCE = 1e-5  # text/csv carries the probability as a decimal


class SmokeTestFailed(Exception):
    """The endpoint did not answer, or did not answer as this run's model does."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, endpoint}. Answers {rows, largest_difference}."""
    import boto3
    from botocore.exceptions import ClientError

    golden = storage.read_json(
        boto3.client("s3"),
        os.environ["LAKE_BUCKET"],
        f"runs/run={event['run']['id']}/evaluation/golden.json",
    )
    try:
        answer = boto3.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=event["endpoint"],
            ContentType="text/csv",
            Accept="text/csv",
            Body="\n".join(csv_line(row) for row in golden["rows"]),
        )
    except ClientError as error:
        raise SmokeTestFailed(f"Endpoint {event['endpoint']}: {error}") from error
    return compare(golden["probabilities"], answer["Body"].read().decode())


def csv_line(row: list[float | None]) -> str:
    return ",".join("" if value is None else repr(value) for value in row)


def compare(expected: list[float], text: str) -> Json:
    """{rows, largest_difference}; SmokeTestFailed names the first row that differs."""
    try:
        actual = [float(value) for value in text.replace(",", "\n").split()]
    except ValueError as error:
        raise SmokeTestFailed(f"The endpoint answered {text[:200]!r}.") from error
    if len(actual) != len(expected):
        raise SmokeTestFailed(f"{len(actual)} answers to {len(expected)} golden rows.")
    differences = [abs(a - b) for a, b in zip(actual, expected, strict=True)]
    worst = max(range(len(differences)), key=differences.__getitem__)
    if not differences[worst] <= TOLERANCE:  # also catches NaN
        raise SmokeTestFailed(
            f"Golden row {worst + 1}: {actual[worst]} instead of {expected[worst]}."
        )
    return {"rows": len(actual), "largest_difference": differences[worst]}
