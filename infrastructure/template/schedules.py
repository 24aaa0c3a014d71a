"""A schedule that calls a function of the stack, to look whether there is something to do."""

from __future__ import annotations

from infrastructure.words import Json, attribute, resource, sub


def look(
    name: str, description: str, *, state: Json | str, rate: str, function: Json, role: str,
    late_seconds: int,
) -> Json:  # fmt: skip
    """The function gets {look}, the time that the call is for; a call that is late by more than
    `late_seconds`, or fails four times, goes to the undelivered ones."""
    return resource(
        "AWS::Scheduler::Schedule",
        {
            "Name": sub(name),
            "Description": description,
            "State": state,
            "ScheduleExpression": rate,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": function,
                "RoleArn": attribute(role, "Arn"),
                "Input": '{"look": "<aws.scheduler.scheduled-time>"}',
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": late_seconds,
                    "MaximumRetryAttempts": 3,
                },
                "DeadLetterConfig": {"Arn": attribute("Undelivered", "Arn")},
            },
        },
    )
