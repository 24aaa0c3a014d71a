"""Every statement of every role that takes part in a run is taken away: the run asks for one after
the other by name.

A run begins with roles that may do nothing. It fails for what it is refused; the one statement
that allows it is given back, and the run is redriven from the state that failed, until it ends
well. It profiles, tunes, clears away what many runs before it left, and its model goes live by a
canary on an endpoint that is scaled and captures. What a run alone does not do follows.
`grants_around.py` has the roles that are no part of a run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from benchmarks.attack import shop
from benchmarks.attack.grants_around import AROUND, waited
from benchmarks.attack.product import GIVEN, Product
from benchmarks.attack.statements import Grants
from executions import releases
from infrastructure.deployables import FUNCTIONS
from infrastructure.deployables import named as function_named
from infrastructure.names import CAPTURED, CODE, MADE, named
from localaws.s3.names import split_uri
from rebuy.cli.demo import EXAMPLE
from tasks.functions import databrew_leftovers as leftovers
from tasks.functions import pin_live_model

Json = dict[str, Any]
SETTINGS = {
    "endpoint_instances_min": 2,
    "endpoint_instances_max": 3,
    "endpoint_canary_percent": 50,
    "endpoint_canary_minutes": 1,
    "capture_percent": 100,
}
EVERYTHING = {
    **GIVEN,
    "profile": True,
    "tune": {"trials": 2, "parallel": 2, "strategy": "Random"},
}
# A mapped shop's run alone calls it; without a mapping it is deployed all the same.
OF_A_SHOP = "PlanMapping"
LOOKED_UP = ("JudgeModel", "SmokeTest", "RollBack", "PinLiveModel")
GONE = "gone_1"


class Run:
    """An execution that is begun once, and redriven from then on."""

    def __init__(self, product: Product, given: Json) -> None:
        self.product, self.given = product, given
        self.arn: str | None = None

    def attempt(self) -> str | None:
        if self.arn is None:
            self.arn = self.product.start(f"grants-{int(time.time())}", self.given)
        else:
            client = self.product.connection.client("stepfunctions")
            client.redrive_execution(executionArn=self.arn)
        outcome = self.product.finish(self.arn)
        if outcome.status != "SUCCEEDED":
            return outcome.reason
        return f"its history: {outcome.problems}" if outcome.problems else None


def attack(product: Product) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up(**SETTINGS)
    good = product.finish(product.start("undisturbed"))
    yield f"undisturbed: {good.status} in {good.seconds:.0f} s, model {good.model[:16]}"
    if good.status != "SUCCEEDED":
        yield f"WRONG the undisturbed run: {good.reason}"
        return
    leave_much(product)
    others = {*AROUND, f"{OF_A_SHOP}Role"}
    grants = Grants.of(product, product.connection, lambda name: name not in others)
    began = time.time()
    amend_nothing(product)
    yield f"{grants.take_all()} statements of {len(grants.roles)} roles are taken away"

    run = Run(product, EVERYTHING)
    yield from grants.pursue("the run", run.attempt)
    # A log that may not be written fails nobody, on AWS neither: what is seen is an empty group.
    functions = [one.name for one in FUNCTIONS if one.in_workflow and one.name != OF_A_SHOP]
    empty = empty_groups(product, began, functions)
    yield from grants.give_logs(empty)
    began = time.time()
    after = product.finish(product.start("aftermath"))
    if (after.status, after.model) != ("SUCCEEDED", good.model):
        yield f"WRONG the run after it: {after}"
    functions.remove("RollBack")  # which that run did not call
    if still := {*empty} & {*empty_groups(product, began, functions)}:
        yield f"WRONG empty still: {', '.join(sorted(still))}"

    yield from grants.pursue("captures", lambda: no_captures(product))
    yield from grants.pursue("a job over its own output", lambda: job_again(product))
    yield from grants.pursue("an update", lambda: updated(product))
    remove_live_model(product)
    for function in LOOKED_UP:
        yield from grants.pursue(
            f"{function} without its file", partial(without_file, product, run, function)
        )
    yield from grants.end()
    yield from mapped(product)


def mapped(product: Product) -> Iterator[str]:
    """A second stack in the account, of a shop with files of its own."""
    second = shop.beside(product)
    grants = Grants.of(second, second.connection, lambda name: name == f"{OF_A_SHOP}Role")
    yield f"{grants.take_all()} statements of a shop's {OF_A_SHOP}Role are taken away"
    began = time.time()
    yield from grants.pursue("a shop's run", Run(second, {"train": False}).attempt)
    yield from grants.give_logs(empty_groups(second, began, [OF_A_SHOP]))
    yield from grants.end()


def amend_nothing(product: Product) -> None:
    """The workflow's release has a list of amendments from now on, which every record reads."""
    connection, outputs = product.connection, product.outputs
    live = connection.client("stepfunctions").describe_state_machine_alias(
        stateMachineAliasArn=outputs["LiveAliasArn"]
    )["routingConfiguration"][0]["stateMachineVersionArn"]
    definition = connection.client("stepfunctions").describe_state_machine(stateMachineArn=live)
    release = releases.of_definition(definition["definition"], named(CODE, connection))
    assert release is not None
    connection.client("s3").put_object(
        Bucket=release.bucket, Key=release.amendments_key, Body=b'{"amendments": []}'
    )


def leave_much(product: Product) -> None:
    """In DataBrew, what so many runs leave that the next one clears some away."""
    client, prefix = product.connection.client("databrew"), named(MADE, product.connection)
    roles = [
        job["RoleArn"] for page in client.get_paginator("list_jobs").paginate()
        for job in page["Jobs"] if job["Name"].startswith(prefix)
    ]  # fmt: skip
    place = {"Bucket": product.outputs["LakeBucket"], "Key": "runs/"}
    for number in range(leftovers.KEPT_RUNS * leftovers.DATASETS_OF_A_RUN + 1):
        client.create_dataset(Name=f"{prefix}old-{number}", Input={"S3InputDefinition": place})
    for number in range(leftovers.KEPT_RUNS * leftovers.JOBS_OF_A_RUN + 1):
        client.create_profile_job(
            Name=f"{prefix}old-{number}", DatasetName=f"{prefix}old-0", RoleArn=roles[0],
            OutputLocation=place,
        )  # fmt: skip
    arn = client.describe_dataset(Name=f"{prefix}old-0")["ResourceArn"]
    client.create_ruleset(
        Name=f"{prefix}old", TargetArn=arn,
        Rules=[{"Name": "a", "CheckExpression": "AGG(MISSING_VALUES_COUNT) >= :val1",
                "SubstitutionMap": {":val1": "0"}, "ColumnSelectors": [{"Regex": ".*"}]}],
    )  # fmt: skip


def empty_groups(product: Product, since: float, functions: Collection[str]) -> list[str]:
    """What somebody sees who looks into the logs of these functions and of the jobs: the groups
    that have nothing since then."""
    logs, stack = product.connection.client("logs"), product.connection.settings.stack_name
    groups = [f"/aws/lambda/{stack}-{function_named(name).short_name}" for name in functions]
    for prefix in ("/aws-glue", "/aws/sagemaker/"):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        groups += [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return [
        group
        for group in groups
        if not logs.filter_log_events(
            logGroupName=group, startTime=int(since * 1000), limit=1
        )["events"]
    ]  # fmt: skip


def no_captures(product: Product) -> str | None:
    """Asks the endpoint, and looks for what it captured of that."""
    connection, lake = product.connection, product.outputs["LakeBucket"]

    def captured() -> int:
        found = connection.client("s3").list_objects_v2(Bucket=lake, Prefix=CAPTURED)
        return int(found["KeyCount"])

    before = captured()
    connection.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=product.outputs["EndpointName"], ContentType="text/csv", Body=EXAMPLE
    )
    found = waited(lambda: captured() > before)
    return None if found else f"nothing new below {CAPTURED}"


def job_again(product: Product) -> str | None:
    """A job of the newest run, over its own output."""
    client, prefix = product.connection.client("databrew"), named(MADE, product.connection)
    jobs = [
        job for page in client.get_paginator("list_jobs").paginate() for job in page["Jobs"]
        if job["Name"].startswith(prefix) and job["Type"] == "RECIPE"
    ]  # fmt: skip
    name = max(jobs, key=lambda job: job["CreateDate"])["Name"]
    run = {"Name": name, "RunId": client.start_job_run(Name=name)["RunId"]}
    waited(lambda: client.describe_job_run(**run)["State"] not in ("STARTING", "RUNNING"))
    found = client.describe_job_run(**run)
    return None if found["State"] == "SUCCEEDED" else str(found.get("ErrorMessage"))


def updated(product: Product) -> str | None:
    """What a deployment does with the workflow: CloudFormation tells the refusal as it is."""
    client, arn = product.connection.client("stepfunctions"), product.outputs["StateMachineArn"]
    there = client.describe_state_machine(stateMachineArn=arn)
    try:
        client.update_state_machine(
            stateMachineArn=arn,
            definition=there["definition"],
            loggingConfiguration=there["loggingConfiguration"],
        )
    except client.exceptions.ClientError as error:
        return str(error)
    return None


def without_file(product: Product, run: Run, function: str) -> str | None:
    """A state of the run once more, for a file that is gone: it says that it is gone."""
    short = function_named(function).short_name
    asked = next(
        json.loads(event["taskScheduledEventDetails"]["parameters"])
        for event in product.history(str(run.arn))
        if f"-{short}:" in event.get("taskScheduledEventDetails", {}).get("parameters", "")
    )
    event = asked["Payload"]
    own = (event.get("run") or event["state"]["run"])["id"]
    answer = product.connection.client("lambda").invoke(
        FunctionName=asked["FunctionName"], Payload=json.dumps(event).replace(own, GONE)
    )
    said: str = answer["Payload"].read().decode()
    return None if "NoSuchKey" in said else said


def remove_live_model(product: Product) -> None:
    """Its archive; the endpoint has loaded it."""
    found = pin_live_model.find(
        product.connection.client("sagemaker"), product.outputs["EndpointName"]
    )
    bucket, key = split_uri(found["model_uri"])
    product.connection.client("s3").delete_object(Bucket=bucket, Key=key)
