"""Notify: tells the topic of a run that did not end well, of a run that did not begin, and of what
was decided about a new model.

The rules of ended runs call it, and a schedule every hour, which looks for what no event can tell:
deliveries that failed, raw files that no run has begun after, and days without their file.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any

from executions import cause
from executions.events import all_events
from tasks.functions import daily_files, storage, tries

Json = dict[str, Any]

CAUSE_CHARACTERS = 2_000
SUBJECT_CHARACTERS = 99  # SNS takes fewer than 100
MOST_MESSAGES = 50  # of the queue, a look
# A message of the queue is told again after so long, until somebody takes it away.
REMINDER_HOURS = 12
REMINDER = timedelta(hours=REMINDER_HOURS)
# Files that no run has begun after are told after an hour, then with every reminder.
PATIENCE = timedelta(hours=1)


def handler(event: Json, context: Any) -> Json:
    """`event`: a "Step Functions Execution Status Change", or anything else (a look). Answers
    {told: the messages' subjects}."""
    import boto3

    if "detail" in event:
        detail = event["detail"]
        events = list(all_events(boto3.client("stepfunctions"), detail["executionArn"]))
        well = detail["status"] == "SUCCEEDED"
        messages = judged(detail, events) if well else [ended(detail, events)]
    else:
        now = datetime.now(timezone.utc)
        listed = list(storage.raw_objects(boto3.client("s3"), os.environ["RAW_BUCKET"]))
        messages = [
            *undelivered(boto3.client("sqs")),
            *unseen(boto3.client, listed, now),
            *missing(listed, now),
        ]
    topic = boto3.client("sns")
    for subject, text in messages:
        print(f"{subject}\n{text}")
        topic.publish(
            TopicArn=os.environ["TOPIC"], Subject=subject[:SUBJECT_CHARACTERS], Message=text
        )
    return {"told": [subject for subject, _ in messages]}


def ended(detail: Json, events: list[Json]) -> tuple[str, str]:
    """(subject, text) of an end that was not SUCCEEDED: state, error, cause, and where to go on."""
    attempt = tries.tries_of(events)[detail.get("redriveCount") or 0]
    visit = tries.failed_visit(attempt)
    state = visit.label if visit else "its start"
    error = attempt.error or detail["status"]
    name = detail["name"]
    lines = {
        "Execution": detail["executionArn"],
        "Status": detail["status"],
        "State": state,
        "Error": error,
        "Cause": cause.message(attempt.cause, CAUSE_CHARACTERS) or "none was given",
        "Try": str(attempt.number),
        "Console": console_of(detail["executionArn"]),
        "Account for": f"rebuy audit {name}",
        "Go on": f"mend the cause, then: rebuy redrive {name}",
    }
    text = "\n".join(f"{what:<12} {value}" for what, value in lines.items())
    return f"rebuy: {detail['status']} at {state}: {error} ({name})", text


def judged(detail: Json, events: list[Json]) -> list[tuple[str, str]]:
    """What was decided about the run's model; nothing of a run that trained none."""
    attempt = tries.tries_of(events)[detail.get("redriveCount") or 0]
    answer = (tries.data_of(attempt.events).get("judgement") or {}).get("answer")
    if answer is None:
        return []
    name = detail["name"]
    verdict = "model published" if answer["publish"] else "model not published"
    lines = {
        "Execution": detail["executionArn"],
        "Reason": answer["reason"],
        "Console": console_of(detail["executionArn"]),
        "Account for": f"rebuy audit {name}",
    }
    text = "\n".join(f"{what:<12} {value}" for what, value in lines.items())
    return [(f"rebuy: {verdict} ({name})", text)]


def console_of(arn: str) -> str:
    """Where the execution can be looked at."""
    partition, _, region, account = arn.split(":")[1:5]
    if account == "000000000000":  # the local AWS
        return "rebuy console"
    domain = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
        partition, "console.aws.amazon.com"
    )
    return f"https://{region}.{domain}/states/home?region={region}#/v2/executions/details/{arn}"


def undelivered(sqs: Any) -> list[tuple[str, str]]:
    """What could not be delivered. The messages stay in the queue, and are hidden until the next
    reminder."""
    queue = os.environ["QUEUE_URL"]
    lines: list[str] = []
    while len(lines) < MOST_MESSAGES:
        answer = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            VisibilityTimeout=int(REMINDER.total_seconds()),
            MessageAttributeNames=["All"],
        )
        if not answer.get("Messages"):
            break
        lines += [_line(message) for message in answer["Messages"]]
    if not lines:
        return []
    text = "\n".join(
        [
            "These events and schedules could not be delivered, so a run may not have begun.",
            f"They stay in the queue {queue} for 14 days: delete them when dealt with.",
            "",
            *lines,
        ]
    )
    return [(f"rebuy: {len(lines)} not delivered", text)]


def _line(message: Json) -> str:
    attributes = {
        name: value.get("StringValue")
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return json.dumps({"because": attributes, "event": message["Body"][:CAUSE_CHARACTERS]})


def missing(listed: list[Json], now: datetime) -> list[tuple[str, str]]:
    """Files that come every day, and have not: told once they are late, and every 12 hours."""
    hour_ago = now - timedelta(hours=1)
    found = daily_files.missing(listed, now)
    news = [entry for entry in found if entry not in daily_files.missing(listed, hour_ago)]
    if not news and now.hour % REMINDER_HOURS:
        return []
    told = news or found
    if not told:
        return []
    lines = [f"{entry['files'].replace('{day}', entry['day'])} has not come." for entry in told]
    text = "\n".join(
        [
            "Files of these series come every day, and these days have none:",
            "",
            *lines,
            "",
            "Runs go on with what is there.",
        ]
    )
    return [(f"rebuy: {len(told)} daily file(s) missing, {told[0]['day']}", text)]


def unseen(client: Any, listed: list[Json], now: datetime) -> list[tuple[str, str]]:
    """Raw files that came after the last run began, while none is in progress."""
    if os.environ["UPLOAD_TRIGGER"] != "ENABLED":
        return []
    newest = max(listed, key=lambda entry: entry["LastModified"], default=None)
    executions = client("stepfunctions").list_executions(
        stateMachineArn=os.environ["STATE_MACHINE"], maxResults=100
    )["executions"]
    if newest is None or not waits_too_long(newest["LastModified"], executions, now):
        return []
    text = (
        f"s3://{os.environ['RAW_BUCKET']}/{newest['Key']} came at {newest['LastModified']:%FT%TZ},"
        " and no run has begun since. The log of the function start-on-upload says what it waits"
        " for. rebuy start begins a run."
    )
    return [("rebuy: an upload has started no run", text)]


def waits_too_long(newest: datetime, executions: list[Json], now: datetime) -> bool:
    """Whether it is time to tell (again) of a file that no execution has begun, or was redriven,
    after."""
    if any(entry["status"] == "RUNNING" for entry in executions):
        return False
    begun = [entry.get("redriveDate") or entry["startDate"] for entry in executions]
    if begun and max(begun) >= newest:
        return False
    age = now - newest
    return age >= PATIENCE and (age - PATIENCE) % REMINDER < timedelta(hours=1)
