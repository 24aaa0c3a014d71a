"""Small made-up workflows, quick to run, with every kind of state that the page draws."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

ROLE = "arn:aws:iam::000000000000:role/console-tests"


def small() -> str:
    """Pass, a loop over Wait and Choice, Parallel, Map, a Task that fails once and is handled."""
    return json.dumps(
        {
            "Comment": "For the console's tests.",
            "StartAt": "Begin",
            "States": {
                "Begin": {"Type": "Pass", "Result": {"round": 0}, "Next": "Rest"},
                "Rest": {"Type": "Wait", "Seconds": 1, "Next": "Count"},
                "Count": {
                    "Type": "Pass",
                    "Parameters": {"round.$": "States.MathAdd($.round, 1)"},
                    "Next": "Enough?",
                },
                "Enough?": {
                    "Type": "Choice",
                    "Choices": [
                        {"Variable": "$.round", "NumericGreaterThanEquals": 3, "Next": "Both"}
                    ],
                    "Default": "Rest",
                },
                "Both": {
                    "Type": "Parallel",
                    "Branches": [
                        {
                            "StartAt": "Left",
                            "States": {"Left": {"Type": "Wait", "Seconds": 1, "End": True}},
                        },
                        {
                            "StartAt": "Right",
                            "States": {
                                "Right": {"Type": "Pass", "Next": "Right end"},
                                "Right end": {"Type": "Pass", "End": True},
                            },
                        },
                    ],
                    "ResultPath": "$.both",
                    "Next": "Each",
                },
                "Each": {
                    "Type": "Map",
                    "ItemsPath": "$.both",
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "One",
                        "States": {"One": {"Type": "Pass", "End": True}},
                    },
                    "ResultPath": "$.each",
                    "Next": "Read nothing",
                },
                "Read nothing": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                    "Parameters": {"Bucket": "no-such-bucket-anywhere", "Key": "nothing"},
                    "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
                    "Catch": [
                        {
                            "ErrorEquals": ["States.ALL"],
                            "ResultPath": "$.caught",
                            "Next": "Handled",
                        }
                    ],
                    "Next": "Done",
                },
                "Handled": {"Type": "Pass", "Next": "Done"},
                "Done": {"Type": "Succeed"},
            },
        }
    )


def failing(bucket: str = "to-come") -> str:
    """A Task that fails, with nothing to catch it: to be redriven."""
    return json.dumps(
        {
            "StartAt": "Read",
            "States": {
                "Read": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                    "Parameters": {"Bucket": bucket, "Key": "later.txt"},
                    "ResultSelector": {"bytes.$": "$.ContentLength"},
                    "End": True,
                }
            },
        }
    )


def slow() -> str:
    """Waits until somebody stops it."""
    return json.dumps(
        {
            "StartAt": "Sleep",
            "States": {"Sleep": {"Type": "Wait", "Seconds": 3000, "End": True}},
        }
    )


def long_loop(passes: int) -> str:
    """About eight events a pass."""
    return json.dumps(
        {
            "StartAt": "Zero",
            "States": {
                "Zero": {"Type": "Pass", "Result": {"n": 0}, "Next": "Add"},
                "Add": {
                    "Type": "Pass",
                    "Parameters": {"n.$": "States.MathAdd($.n, 1)"},
                    "Next": "Again?",
                },
                "Again?": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericLessThan": passes, "Next": "Add"}],
                    "Default": "Enough",
                },
                "Enough": {"Type": "Succeed"},
            },
        }
    )


def staged(bucket: str) -> str:
    """Three stages; the second reads `input.json` of a bucket, and fails while it is not there."""
    return json.dumps(
        {
            "Comment": "In stages.",
            "StartAt": "Begin",
            "States": {
                "Begin": {
                    "Type": "Pass",
                    "Comment": "Stage 1, Begin: Makes room for what follows.",
                    "Next": "Read",
                },
                "Read": {
                    "Type": "Task",
                    "Comment": "Stage 2, Read the file: Reads input.json.",
                    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                    "Parameters": {"Bucket": bucket, "Key": "input.json"},
                    "ResultPath": None,
                    "Next": "Read enough?",
                },
                "Read enough?": {
                    "Type": "Choice",
                    "Comment": "Stage 2, Read the file: Whether there is more.",
                    "Choices": [{"Variable": "$.more", "IsPresent": True, "Next": "Read"}],
                    "Default": "Both",
                },
                "Both": {
                    "Type": "Parallel",
                    "Comment": "Stage 3, Finish: Two things at once.",
                    "Branches": [
                        {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}
                        for name in ("Tidy", "Count")
                    ],
                    "End": True,
                },
            },
        }
    )
