"""Delivering to targets: at least once, with retries and a dead-letter queue, over restarts.

A delivery is a document from the moment it is due until the target has taken it. Those of one
message group to one queue go one at a time, in the order they were added: FIFO is this order.
"""

from __future__ import annotations

import base64
import itertools
import json
import logging
import queue
import threading
import uuid
from collections import deque
from datetime import datetime

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.errors import AwsError, NotEmulated
from localaws.identity.caller import root
from localaws.shapes import Json

logger = logging.getLogger(__name__)

WORKERS = 4
MOST_ATTEMPTS = 185
OLDEST_SECONDS = 86_400
LONGEST_WAIT = 60.0
SCHEDULER = "scheduler.amazonaws.com"
_THROTTLED = (
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
)


def kind_of(arn: str) -> str | None:
    """ "lambda", "states" or "sqs" for an ARN we deliver to; None for another one."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn":
        return None
    if parts[2] == "lambda" and parts[5] == "function":
        return "lambda"
    if parts[2] == "states" and parts[5] == "stateMachine":
        return "states"
    return "sqs" if parts[2] == "sqs" else None


def check_target(service: str, operation: str, target: Json) -> None:
    """Raises for a target that we cannot deliver to, or that AWS would not take."""
    kind = kind_of(target["Arn"])
    if kind is None:
        raise NotEmulated(service, operation, "Target.Arn", f"No delivery to {target['Arn']}.")
    if kind == "states" and not target.get("RoleArn"):
        raise AwsError("ValidationException", f"RoleArn is required for target {target['Arn']}.")
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    if dead is not None and kind_of(dead) != "sqs":
        raise AwsError("ValidationException", f"DeadLetterConfig takes an SQS queue, not {dead}.")


class Deliveries:
    """Takes deliveries and works them off on background threads."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self._aws = aws
        self._kind = f"{name}-delivery"
        self._principal = f"{name}.amazonaws.com"
        self._due: queue.Queue[str | None] = queue.Queue()
        self._numbers = itertools.count()
        self._groups: dict[str, deque[str]] = {}  # the keys of a message group, the due one first
        self._changing_groups = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts the workers and takes up what an earlier server left."""
        left = self._aws.documents.items(self._kind)
        for key, delivery in sorted(left, key=_added):
            self._line_up(key, delivery["target"], 0)
        for number in range(WORKERS):
            thread = threading.Thread(target=self._work, name=f"{self._kind} {number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stopping.set()
        for _ in self._threads:
            self._due.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def add(self, target: Json, text: str, source: Json, *, wait_seconds: float = 0) -> str:
        """Delivers `text` to the target soon. `source` is what a dead letter tells (RULE_ARN).

        A server that stops during `wait_seconds` delivers at its next start.
        """
        key = str(uuid.uuid4())
        delivery = {
            "target": target,
            "input": text,
            "source": source,
            "attempts": 0,
            "since": self._aws.clock.now(),
            "number": next(self._numbers),
        }
        self._aws.documents.put(self._kind, key, delivery)
        self._line_up(key, target, wait_seconds)
        return key

    def _line_up(self, key: str, target: Json, wait_seconds: float) -> None:
        group = _group(target)
        if group is not None:
            with self._changing_groups:
                line = self._groups.setdefault(group, deque())
                line.append(key)
                if len(line) > 1:
                    return
        self._later(key, wait_seconds)

    def _done(self, key: str, target: Json) -> None:
        """The target has taken it, or never will: the next of its group is due."""
        self._aws.documents.delete(self._kind, key)
        group = _group(target)
        if group is not None:
            with self._changing_groups:
                line = self._groups[group]
                line.popleft()
                if line:
                    self._due.put(line[0])
                else:
                    del self._groups[group]

    def _later(self, key: str, seconds: float) -> None:
        if seconds <= 0:
            self._due.put(key)
            return
        timer = threading.Timer(seconds, self._due.put, (key,))
        timer.daemon = True
        timer.start()

    def _work(self) -> None:
        while not self._stopping.is_set():
            key = self._due.get()
            if key is None:
                return
            try:
                self._attempt(key)
            except Exception:
                if not self._stopping.is_set():
                    logger.exception("Delivery %s failed", key)

    def _attempt(self, key: str) -> None:
        delivery = self._aws.documents.get(self._kind, key)
        if delivery is None:
            return
        try:
            aws = self._acting(delivery)
            send(aws, delivery["target"], delivery["input"], key)
        except (ClientError, AwsError) as error:
            self._after_failure(key, delivery, error)
            return
        self._done(key, delivery["target"])

    def _acting(self, delivery: Json) -> LocalAws:
        """As the target's role, or as the service itself, on behalf of the rule: a function's own
        policy then has to let it in.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        """
        target, source = delivery["target"], delivery["source"]
        takes_role = self._principal == SCHEDULER or kind_of(target.get("Arn", "")) != "lambda"
        arn = next(iter(source.values()), None)
        if takes_role and target.get("RoleArn"):
            # GUESSED: the session in which Events and Scheduler take a role on, and that their
            #     rule's or schedule's ARN is aws:SourceArn then.
            return self._aws.acting_as_role(target["RoleArn"], self._kind, self._principal, arn)
        return self._aws.acting_as_service(self._principal, arn)

    def _after_failure(self, key: str, delivery: Json, error: ClientError | AwsError) -> None:
        policy = delivery["target"].get("RetryPolicy", {})
        most = policy.get("MaximumRetryAttempts", MOST_ATTEMPTS)
        oldest = policy.get("MaximumEventAgeInSeconds", OLDEST_SECONDS)
        age = (self._aws.clock.now() - delivery["since"]).total_seconds()
        code, message, again = _judged(error)
        if again and delivery["attempts"] < most and age < oldest:
            wait = min(2.0 ** delivery["attempts"], LONGEST_WAIT) * self._aws.clock.wait_scale
            delivery["attempts"] += 1
            self._aws.documents.put(self._kind, key, delivery)
            self._later(key, wait)
            return
        condition = None
        if again:
            condition = "MaximumRetryAttempts" if age < oldest else "MaximumEventAgeInSeconds"
        self._bury(delivery, code, message, condition)
        self._done(key, delivery["target"])

    def _bury(self, delivery: Json, code: str, message: str, condition: str | None) -> None:
        """To the dead-letter queue, if there is one."""
        target = delivery["target"]
        dead = target.get("DeadLetterConfig", {}).get("Arn")
        logger.warning("No delivery to %s: %s (%s)", target["Arn"], message, code)
        if dead is None:
            return
        texts = {
            **delivery["source"],
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "RETRY_ATTEMPTS": str(delivery["attempts"]),
        }
        if condition is not None:
            texts["EXHAUSTED_RETRY_CONDITION"] = condition
        attributes = {
            name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
        }
        # A schedule's role sends to its queue too; of a rule, the queue's own policy lets it in:
        # docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
        sender = target if self._principal == SCHEDULER else {}
        try:
            _send_message(
                self._acting({**delivery, "target": sender}), dead, delivery["input"], attributes
            )
        except ClientError:
            logger.exception("The dead-letter queue %s did not take it", dead)


def _added(left: tuple[str, Json]) -> tuple[datetime, int]:
    """The order in which deliveries were added; an earlier version gave them no numbers."""
    return left[1]["since"], left[1].get("number", 0)


def _group(target: Json) -> str | None:
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    return None if group is None else f"{target['Arn']} {group}"


def send(aws: LocalAws, target: Json, text: str, key: str) -> None:
    """One attempt. Raises ClientError as the target's service answers."""
    arn = target["Arn"]
    kind = kind_of(arn)
    if kind == "lambda":
        aws.client("lambda").invoke(
            FunctionName=arn, InvocationType="Event", Payload=_json(text).encode()
        )
    elif kind == "states":
        # The name is the delivery's: a second attempt cannot start a second execution.
        aws.client("stepfunctions").start_execution(
            stateMachineArn=arn,
            name=f"{key}_{uuid.uuid5(uuid.NAMESPACE_URL, arn)}"[:80],
            input=_json(text),
        )
    elif kind == "sqs":
        attributes = {
            name: {**one, "BinaryValue": base64.b64decode(one["BinaryValue"])}
            if "BinaryValue" in one
            else one
            for name, one in target.get("MessageAttributes", {}).items()
        }
        _send_message(aws, arn, text, attributes, **target.get("SqsParameters", {}))
    else:
        raise NotEmulated("events", "PutTargets", "Target.Arn", arn)


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidInput", f"The target takes JSON, not {text[:200]!r}.") from error
    return text


def _send_message(aws: LocalAws, arn: str, text: str, attributes: Json, **more: str) -> None:
    whole = aws.acting(root(aws.account))  # a URL is looked up by nobody's permission
    url = whole.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
    aws.client("sqs").send_message(
        QueueUrl=url, MessageBody=text, MessageAttributes=attributes, **more
    )


def _judged(error: ClientError | AwsError) -> tuple[str, str, bool]:
    """Code, message, and whether another attempt can help."""
    if isinstance(error, AwsError):
        return error.code, error.message, False
    code = str(error.response["Error"]["Code"])
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    again = status == 429 or (status >= 500 and code != "NotEmulated") or code in _THROTTLED
    return code, str(error.response["Error"]["Message"]), again
