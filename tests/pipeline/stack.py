"""The deployed stack as the tests use it: run, look, fork, break; everything over the AWS API.

A late state is broken without running the early ones again: the deployed machine, started at that
state, with what the good run had when it entered it, and a copy of what the good run had made.
"""

from __future__ import annotations

import copy
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from configuration.connection import Connection
from rebuy.cli import baskets
from tasks.functions import crawl_raw_data, increments, pin_live_model, published_views

Json = dict[str, Any]
REPOSITORY = Path(__file__).parents[2]
REBUY = [sys.executable, "-c", "from rebuy.cli.app import main; main()"]
LONGEST_SECONDS = 400.0
READING = ("Check raw data", "Clean with DataBrew")  # states that read what is in incoming/

CLEANED = ("cleaned_orders", "cleaned_order_products")
CLEAN = (*CLEANED, "clean_orders", "clean_order_products")
PRIOR = (*CLEAN, "order_products_prior", "product_history")
FEATURES = (*PRIOR, "products", "product_features", "user_features", "user_product_features")
PRIOR_FOLDERS = ("features/order_products_prior/", "features/product_history/")
PLAN = ("manifest", "increment")
# What a run has made when it enters a state: (prefixes below its own, tables). From `Judge model`
# on it has made everything that is needed.
MADE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Check raw data": (PLAN, ()),
    "Clean with DataBrew": ((*PLAN, "rows"), ()),
    "Complete orders": ((*PLAN, "cleaned/"), CLEANED),
    "Join prior order lines": ((*PLAN, "clean"), CLEAN),
    "Build features": ((*PLAN, "clean", *PRIOR_FOLDERS), PRIOR),
    "Join features": ((*PLAN, "clean", "features/"), FEATURES),
    "Train": ((*PLAN, "clean", "features/", "sets/", "champion/"), FEATURES),
}


@dataclass(frozen=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str
    error: str | None
    cause: str
    events: list[Json] = field(repr=False)

    def entered(self, state: str) -> Json:
        """What the state had as input when it was first entered."""
        for event in self.events:
            details = event.get("stateEnteredEventDetails")
            if details and details["name"] == state:
                found: Json = json.loads(details["input"])
                return found
        raise AssertionError(f"{state} was never entered; {self.states}")

    @property
    def states(self) -> list[str]:
        """The states in the order in which they were entered."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.events
            if "stateEnteredEventDetails" in event
        ]


@dataclass(frozen=True)
class Live:
    """What a run that fails may not change."""

    endpoint_config: str
    answer: Json
    records: dict[str, str]  # key to SHA-256
    views: dict[str, str]


@dataclass
class Stack:
    connection: Connection
    home: Path
    outputs: dict[str, str]
    example: str  # a line of 18 numbers
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(int(time.time())))
    _records: dict[str, Json] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.connection.settings.endpoint_url)

    @property
    def lake(self) -> str:
        return self.outputs["LakeBucket"]

    @property
    def raw_bucket(self) -> str:
        return self.outputs["RawBucket"]

    def bucket_of(self, key: str) -> str:
        """Raw files have a bucket of their own."""
        return self.raw_bucket if key.startswith("raw/") else self.lake

    def client(self, service: str) -> Any:
        return self.connection.client(service)

    def rebuy(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The command line, in a process of its own, pointed at this stack."""
        done = subprocess.run(
            [*REBUY, *arguments],
            env={**os.environ, "AWS_ENDPOINT_URL": self.url},
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )
        if check and done.returncode:
            raise AssertionError(f"rebuy {arguments}: {done.returncode}\n{done.stderr}")
        return done

    # -- executions ----------------------------------------------------------------------------

    def start(self, given: Json | None = None, machine: str | None = None) -> str:
        """Starts the live version, or another machine; the execution's ARN."""
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=machine or self.outputs["LiveAliasArn"],
            name=f"test-{next(self._numbers)}",
            input=json.dumps(given or {}),
        )
        return str(answer["executionArn"])

    def wait(self, arn: str) -> Execution:
        client = self.client("stepfunctions")
        deadline = time.monotonic() + LONGEST_SECONDS
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                last = self.history(arn)[-3:]
                raise AssertionError(f"{arn} still runs after {LONGEST_SECONDS} s: {last}")
            time.sleep(0.1)
        return Execution(
            arn, found["status"], found.get("error"), found.get("cause") or "", self.history(arn)
        )

    def run(self, given: Json | None = None, machine: str | None = None) -> Execution:
        return self.wait(self.start(given, machine))

    def history(self, arn: str) -> list[Json]:
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=arn) for event in page["events"]]

    def executions(self) -> list[str]:
        """The ARNs of the workflow's executions, newest first."""
        found = self.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["StateMachineArn"], maxResults=100
        )["executions"]
        return [entry["executionArn"] for entry in found]

    def machine(
        self, start_at: str, *, until: str | None = None, replace: dict[str, str] | None = None
    ) -> str:
        """The deployed workflow as it is now, but started at `start_at`: the new machine's ARN.

        With `until` it ends well after that state. `replace` changes its text first.
        """
        client = self.client("stepfunctions")
        deployed = client.describe_state_machine(stateMachineArn=self.outputs["StateMachineArn"])
        text = deployed["definition"]
        for old, new in (replace or {}).items():
            assert old in text, f"the definition has no {old!r}"
            text = text.replace(old, new)
        definition = json.loads(text)
        definition["StartAt"] = start_at
        if until is not None:
            definition["States"][until].pop("Next")
            definition["States"][until]["End"] = True
        definition["States"] = reachable(definition)
        return self.create(definition)

    def create(self, definition: Json) -> str:
        """A state machine of its own, recorded and told as the deployed one is: its ARN."""
        client = self.client("stepfunctions")
        arn = self.outputs["StateMachineArn"]
        made = str(
            client.create_state_machine(
                name=f"test-from-{next(self._numbers)}",
                roleArn=client.describe_state_machine(stateMachineArn=arn)["roleArn"],
                definition=json.dumps(definition),
                tags=client.list_tags_for_resource(resourceArn=arn)["tags"],
            )["stateMachineArn"]
        )
        self._watch(made)
        return made

    def let_in_test_machines(self) -> None:
        """The deployed roles know the deployed machine alone; those that look at executions may
        look at the tests' machines too."""
        iam, (region, account) = self.client("iam"), self.outputs["StateMachineArn"].split(":")[3:5]
        mine = [
            f"arn:aws:states:{region}:{account}:{kind}:test-from-*"
            for kind in ("execution", "stateMachine")
        ]
        statement = {"Effect": "Allow", "Action": "states:*", "Resource": mine}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            if any(part in name for part in ("WriteAuditRole", "NotifyRole", "ReceiveTriggerRole")):
                iam.put_role_policy(RoleName=name, PolicyName="tests", PolicyDocument=policy)

    def _watch(self, machine: str) -> None:
        """The rule of unsuccessful runs, for another state machine than the deployed one."""
        events = self.client("events")
        deployed = f"{self.connection.settings.stack_name}-run-failed"
        pattern = json.loads(events.describe_rule(Name=deployed)["EventPattern"])
        pattern["detail"]["stateMachineArn"] = [machine]
        name = machine.rsplit(":", 1)[1]
        rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        targets = events.list_targets_by_rule(Rule=deployed)["Targets"]
        events.put_targets(Rule=name, Targets=targets)
        for target in targets:
            self.client("lambda").add_permission(
                FunctionName=target["Arn"],
                StatementId=name,
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=rule,
            )

    def fork(self, good: Execution, state: str) -> Json:
        """What `state` had as input in the good run, as if of a new run: everything that the good
        run had written, and its tables, are there under the new run's name."""
        before = good.entered(state)
        run_id, name = before["run"]["id"], before["run"]["name"]
        new_id = f"fork_{next(self._numbers)}"
        names = {run_id: new_id, name: new_id.replace("_", "-")}

        def renamed(value: Any) -> Any:
            text = json.dumps(value, default=str)
            for old, new in names.items():
                text = text.replace(old, new)
            return json.loads(text)

        s3 = self.client("s3")
        below, tables = MADE.get(state, (("",), None))
        prefixes = [f"runs/run={run_id}/{prefix}" for prefix in below]
        if state not in MADE:
            prefixes.append(f"models/rebuy--{name}/")
        for key in itertools.chain.from_iterable(map(self.objects, prefixes)):
            source = {"Bucket": self.lake, "Key": key}
            s3.copy_object(Bucket=self.lake, Key=renamed(key), CopySource=source)
        self._copy_tables(run_id, renamed, tables)
        if state in READING:
            self._read_anew(run_id)
        forked: Json = renamed(before)
        if "live" in forked:  # what is live now, and not what was when the good run began
            found = pin_live_model.find(self.client("sagemaker"), self.outputs["EndpointName"])
            forked["live"]["answer"] = {**found, "sha256": None}
            views = published_views.read(self.client("glue"), self.outputs["Database"])
            s3.put_object(
                Bucket=self.lake,
                Key=published_views.key(new_id),
                Body=json.dumps(views, default=str).encode(),
            )
        return forked

    def _read_anew(self, run_id: str) -> None:
        """incoming/ and the raw tables as this run had them: later ones have read less."""
        manifest = json.loads(self.read(f"runs/run={run_id}/manifest.json"))
        plan = json.loads(self.read(increments.plan_key(run_id)))
        new = {entry["key"] for entry in plan["new"]}
        entries = [entry for entry in manifest["objects"] if entry["key"] in new]
        buckets = {"raw": self.raw_bucket, "lake": self.lake}
        increments.copy(self.client("s3"), buckets, entries)
        glue, crawler = self.client("glue"), f"{self.connection.settings.stack_name}-raw"
        glue.start_crawler(Name=crawler)
        while glue.get_crawler(Name=crawler)["Crawler"]["State"] != "READY":
            time.sleep(0.1)
        crawl_raw_data.without_escape(glue, self.outputs["RawDatabase"])

    def _copy_tables(
        self, run_id: str, renamed: Callable[[Any], Any], only: tuple[str, ...] | None
    ) -> None:
        glue, database = self.client("glue"), self.outputs["Database"]
        for table in self.tables(f".*_{run_id}"):
            if only is not None and table["Name"].removesuffix(f"_{run_id}") not in only:
                continue
            described = renamed(table_input(table))
            glue.create_table(DatabaseName=database, TableInput=described)
            if not table.get("PartitionKeys"):
                continue
            parts = glue.get_partitions(DatabaseName=database, TableName=table["Name"])
            glue.batch_create_partition(
                DatabaseName=database,
                TableName=described["Name"],
                PartitionInputList=[
                    renamed({k: part[k] for k in ("Values", "StorageDescriptor")})
                    for part in parts["Partitions"]
                ],
            )

    def tables(self, expression: str = ".*") -> list[Json]:
        """The tables and views of the features' database."""
        pages = self.client("glue").get_paginator("get_tables")
        found = pages.paginate(DatabaseName=self.outputs["Database"], Expression=expression)
        return [table for page in found for table in page["TableList"]]

    def record(self, arn: str, number: int = 1) -> Json:
        """The audit record of the execution's end of this number, which the event of an end that
        was not well has written some time after it."""
        deadline = time.monotonic() + 60
        while True:
            for key in self.objects("audit/"):
                if key not in self._records:  # written once, so read once
                    self._records[key] = json.loads(self.read(key))
                found = self._records[key]
                if found["execution"]["arn"] == arn and len(found["tries"]) == number:
                    return found
            assert time.monotonic() < deadline, f"no record {number} of {arn}"
            time.sleep(0.2)

    def select(self, sql: str) -> list[tuple[str, ...]]:
        """The rows of a statement, as texts; what is null is empty."""
        uri = baskets.query(self.connection, self.outputs, sql)
        return [tuple(row.values()) for row in baskets.read(self.connection, uri)]

    def redrive(self, arn: str) -> Execution:
        """The execution after it was redriven, and has ended again."""
        self.client("stepfunctions").redrive_execution(executionArn=arn)
        return self.wait(arn)

    # -- the lake ------------------------------------------------------------------------------

    def objects(self, prefix: str) -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2")
        return [
            entry["Key"]
            for page in pages.paginate(Bucket=self.bucket_of(prefix), Prefix=prefix)
            for entry in page.get("Contents", [])
        ]

    def read(self, key: str, version: str | None = None) -> bytes:
        more = {"VersionId": version} if version else {}
        body: bytes = (
            self.client("s3").get_object(Bucket=self.bucket_of(key), Key=key, **more)["Body"].read()
        )
        return body

    def remove(self, prefix: str) -> int:
        """Deletes what lies below the prefix; how many objects that were."""
        keys = self.objects(prefix)
        for key in keys:
            self.client("s3").delete_object(Bucket=self.lake, Key=key)
        return len(keys)

    def parquet(self, prefix: str) -> Any:
        """The rows of the Parquet files below a prefix, as one Arrow table."""
        import pyarrow as pa
        from pyarrow import parquet

        tables = [
            parquet.ParquetFile(io.BytesIO(self.read(key))).read()
            for key in self.objects(prefix)
            if key.endswith(".parquet")
        ]
        return pa.concat_tables(tables)

    # -- what is live --------------------------------------------------------------------------

    def predict(self) -> Json:
        """The API's answer to the example."""
        request = urllib.request.Request(
            f"{self.outputs['ApiUrl']}/predict",
            data=self.example.encode(),
            headers={"Content-Type": "text/csv"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: Json = json.load(answer)
            return found

    def live(self) -> Live:
        """What is live now."""
        endpoint = self.client("sagemaker").describe_endpoint(
            EndpointName=self.outputs["EndpointName"]
        )
        assert endpoint["EndpointStatus"] == "InService"
        return Live(
            endpoint["EndpointConfigName"],
            self.predict(),
            {key: hashlib.sha256(self.read(key)).hexdigest() for key in self.objects("audit/")},
            {
                table["Name"]: table["ViewOriginalText"]
                for table in self.tables()
                if table["TableType"] == "VIRTUAL_VIEW"
            },
        )

    @cached_property
    def raw(self) -> dict[str, bytes]:
        """The raw files as they were first uploaded, by key."""
        return {key: self.read(key) for key in self.objects("raw/") if key.endswith(".csv")}

    def restore_raw(self) -> None:
        """Puts the raw files back as they were."""
        for key in self.objects("raw/"):
            if key not in self.raw:
                self.client("s3").delete_object(Bucket=self.raw_bucket, Key=key)
        there = set(self.objects("raw/"))
        for key, body in self.raw.items():
            if key not in there or self.read(key) != body:
                self.client("s3").put_object(Bucket=self.raw_bucket, Key=key, Body=body)


def table_input(table: Json) -> Json:
    """What CreateTable takes of a table as GetTable tells it."""
    accepted = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    return {name: table[name] for name in accepted if name in table}


def reachable(definition: Json) -> Json:
    """The states that can be reached from StartAt: AWS refuses a machine that has others."""
    found: Json = {}
    waiting = [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        state = found[name] = copy.deepcopy(definition["States"][name])
        waiting += [state[key] for key in ("Next", "Default") if key in state]
        waiting += [rule["Next"] for key in ("Choices", "Catch") for rule in state.get(key, [])]
    return found
