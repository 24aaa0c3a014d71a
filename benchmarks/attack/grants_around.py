"""Every statement of every role around a run is taken away: what starts runs, tells of them, takes
old ones away, answers with predictions and deploys asks for one after the other by name.

Whoever waits for such a thing sees the log of a function, a letter that could not be delivered, the
API's answer or CloudFormation's events; a log that stays empty is seen too, and asked for first.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.attack.bursts import runs, wait_for_rest
from benchmarks.attack.product import Product
from benchmarks.attack.statements import Grants
from infrastructure import code_bucket
from infrastructure.deployables import FUNCTIONS
from infrastructure.names import CODE, named
from rebuy.cli.demo import EXAMPLE

Json = dict[str, Any]
SETTINGS = {"upload_trigger": "ENABLED", "settle_seconds": 3, "keep_runs_days": 15}
FUNCTIONS_AROUND = {one.name: one.short_name for one in FUNCTIONS if not one.in_workflow}
SCHEDULES = ("ScheduleRole", "SettleRole", "WatchRole", "ExpireRole")
AROUND = frozenset([*(f"{name}Role" for name in FUNCTIONS_AROUND), *SCHEDULES])
LONG_SECONDS = 40.0
BAD_KEY = "raw/orders.csv"  # no table reads it, so that the run fails
CUSTOM = ("Custom::CsvClassifier", "Custom::PublishedRecipe", "Custom::PublishedFunctions")


def waited(until: Callable[[], object], seconds: float = LONG_SECONDS) -> bool:
    """Whether it came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := bool(until())) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found


def attack(product: Product) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up(**SETTINGS)
    wait_for_rest(product)
    (first,) = runs(product)
    good = product.finish(first)
    yield f"begun by the upload: {good.status} in {good.seconds:.0f} s"
    around = Around(product)
    grants = Grants.of(product, product.connection, AROUND.__contains__)
    yield f"{grants.take_all()} statements of {len(grants.roles)} roles are taken away"
    for deed in around.deeds:
        yield from grants.pursue(deed.name, deed.attempt)
    yield from grants.end()


@dataclass(frozen=True)
class Deed:
    """Something that the product does besides its runs (`statements.Attempt`)."""

    name: str
    attempt: Callable[[], str | None]


@dataclass
class Around:
    """What is seen of the product around its runs. Each attempt is seen from its begin on."""

    product: Product
    messages: list[str] = field(default_factory=list)  # what the topic was told
    began: float = 0.0

    def __post_init__(self) -> None:
        self.stack = self.product.connection.settings.stack_name
        self.client = self.product.connection.client
        sqs = self.client("sqs")
        self.inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        self.undelivered = sqs.get_queue_url(QueueName=f"{self.stack}-undelivered")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])
        arn = arn["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                     "Action": "sqs:SendMessage", "Resource": arn}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self.inbox, Attributes={"Policy": policy})
        topic = arn.replace(":sqs:", ":sns:").replace("inbox", f"{self.stack}-notifications")
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    @property
    def deeds(self) -> list[Deed]:
        return [
            *(
                Deed(f"the log of {name}", partial(self.log_is_empty, short))
                for name, short in FUNCTIONS_AROUND.items()
            ),
            Deed("a prediction", self.prediction),
            Deed("an upload", self.upload),
            Deed("a failed run", self.failed_run),
            Deed("the hourly look", self.hourly_look),
            Deed("expiry", self.expiry),
            Deed("the daily call of it", self.daily_expiry),
            Deed("the daily run", self.daily_run),
            *(Deed(f"a new {kind}", partial(self.deployment, kind)) for kind in CUSTOM),
        ]

    # -- what is seen --------------------------------------------------------------------------

    def log(self, function: str) -> str:
        """What the function wrote since the attempt began."""
        events = self.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{self.stack}-{function}", startTime=int(self.began * 1000)
        )["events"]
        return "".join(event["message"] for event in events)

    def refusals(self, function: str) -> str:
        """Of what it wrote, the last line that tells a refusal."""
        lines = [line for line in self.log(function).splitlines() if "not authorized" in line]
        return lines[-1] if lines else ""

    def taken(self, queue: str) -> list[Json]:
        """The messages of a queue, taken out of it."""
        found: list[Json] = []
        sqs = self.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
            for one in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return found

    def letters(self) -> str:
        """Why something could not be delivered."""
        reasons = (one.get("MessageAttributes", {}) for one in self.taken(self.undelivered))
        return "\n".join(
            found["ERROR_MESSAGE"]["StringValue"] for found in reasons if "ERROR_MESSAGE" in found
        )

    def told(self, text: str) -> bool:
        self.messages += [one["Body"] for one in self.taken(self.inbox)]
        return any(text in one for one in self.messages)

    def until(self, done: Callable[[], object], *functions: str) -> str | None:
        """None when it is done; else what the functions or the letters say, as soon as they do."""
        seen = ""

        def over() -> bool:
            nonlocal seen
            if done():
                return True
            seen = seen or "\n".join(filter(None, map(self.refusals, functions))) or self.letters()
            return bool(seen)

        waited(over)
        return None if done() else seen

    def fire(self, schedule: str) -> None:
        """Has the schedule call now."""
        name = f"{self.stack}-{schedule}"
        found = self.client("scheduler").get_schedule(Name=name)
        for member in ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata",
                       "StartDate", "ScheduleExpressionTimezone"):  # fmt: skip
            found.pop(member, None)
        at = datetime.now(UTC) + timedelta(seconds=2)
        now = {"ScheduleExpression": f"at({at:%Y-%m-%dT%H:%M:%S})", "State": "ENABLED"}
        self.client("scheduler").update_schedule(**{**found, **now})

    # -- what is done --------------------------------------------------------------------------

    def log_is_empty(self, function: str) -> str | None:
        self.began = time.time()
        self.client("lambda").invoke(
            FunctionName=f"{self.stack}-{function}", Payload=json.dumps({"look": "never"})
        )
        if waited(lambda: self.log(function), 5):
            return None
        return f"the log group of {function} is empty"

    def prediction(self) -> str | None:
        self.began = time.time()
        request = urllib.request.Request(
            f"{self.product.outputs['ApiUrl']}/predict", data=EXAMPLE.encode(),
            headers={"Content-Type": "text/csv"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60):
                return None
        except urllib.error.HTTPError as error:
            waited(lambda: self.refusals("predict"), 10)  # of the log, which comes a little later
            return f"{error.code} {error.read().decode()}\n{self.refusals('predict')}"

    def upload(self) -> str | None:
        """A run begins by a file that no table reads."""
        self.began = time.time()
        before = {*runs(self.product)}
        self.client("s3").put_object(
            Bucket=self.product.outputs["RawBucket"], Key=BAD_KEY, Body=b"a\n%f\n" % self.began
        )
        return self.until(lambda: runs(self.product).keys() - before, "start-on-upload")

    def failed_run(self) -> str | None:
        """It is recorded and told."""
        wait_for_rest(self.product)
        self.began = time.time()
        name = f"fails-{int(self.began)}"
        run = self.product.finish(self.product.start(name))
        if run.status != "FAILED" or "raw_files_belong_to_a_table" not in run.reason:
            return f"{run.status}: {run.reason}"
        return self.until(lambda: self.told(name) and self.recorded(name), "notify", "write-audit")

    def recorded(self, execution: str) -> bool:
        s3, lake = self.client("s3"), self.product.outputs["LakeBucket"]
        listed = s3.list_objects_v2(Bucket=lake, Prefix="audit/").get("Contents", [])
        newest = sorted(entry["Key"] for entry in listed)[-3:]
        return any(
            execution in s3.get_object(Bucket=lake, Key=key)["Body"].read().decode()
            for key in newest
        )

    def hourly_look(self) -> str | None:
        """It tells of what was not delivered."""
        self.began = time.time()
        letter = f"letter-{self.began}"
        self.client("sqs").send_message(QueueUrl=self.undelivered, MessageBody=letter)
        self.fire("watch")
        # The letter is to be taken by the function, and a second one is about the call itself.
        waited(lambda: self.told(letter) or self.refusals("notify"), 12)
        return None if self.told(letter) else self.refusals("notify") or self.letters()

    def expiry(self) -> str | None:
        """The runs that failed go, when they are old enough."""
        self.began = time.time()
        self.client("s3").delete_object(Bucket=self.product.outputs["RawBucket"], Key=BAD_KEY)
        look = datetime.now(UTC) + timedelta(days=20)
        answer = self.client("lambda").invoke(
            FunctionName=f"{self.stack}-expire-runs", Payload=json.dumps({"look": f"{look:%FT%TZ}"})
        )
        said = json.loads(answer["Payload"].read())
        return None if said.get("expired") else json.dumps(said)

    def daily_expiry(self) -> str | None:
        self.began = time.time()
        self.fire("expire")
        return self.until(lambda: self.log("expire-runs"))

    def daily_run(self) -> str | None:
        self.began = time.time()
        before = {*runs(self.product)}
        self.fire("daily")
        return self.until(
            lambda: any(
                "schedule" in given
                for arn, given in runs(self.product).items()
                if arn not in before
            )
        )

    def placed(self, template: Json) -> str:
        """The URL of a template, which is too large for a request."""
        bucket, key = named(CODE, self.product.connection), "attack/template.json"
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
        return code_bucket.url(self.product.connection, bucket, key)

    def deployment(self, kind: str) -> str | None:
        """An update in which this kind of custom resource is another one."""
        client, name = self.client("cloudformation"), self.stack
        template = client.get_template(StackName=name)["TemplateBody"]
        template = json.loads(template) if isinstance(template, str) else template
        for one in template["Resources"].values():
            if one["Type"] == kind:
                one["Properties"]["Again"] = str(time.time())
        parameters = client.describe_stacks(StackName=name)["Stacks"][0]["Parameters"]
        client.update_stack(
            StackName=name, TemplateURL=self.placed(template), DisableRollback=True,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
                for one in parameters
            ],
        )  # fmt: skip

        def status() -> str:
            return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

        waited(lambda: not status().endswith("IN_PROGRESS"), 600)
        if status() == "UPDATE_COMPLETE":
            return None
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [one for one in events if one["ResourceStatus"] == "UPDATE_FAILED"]
        return "\n".join(str(one.get("ResourceStatusReason")) for one in failed[:2])
