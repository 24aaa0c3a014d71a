"""A run that failed goes on, once the cause is mended, from the state that failed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from executions import releases
from executions.history import History
from infrastructure import names, packages
from infrastructure.releases import FILES
from tests.pipeline import stand_in
from tests.pipeline.checkout import deployed
from tests.pipeline.stack import Execution, Json, Stack
from tests.pipeline.test_increments import CLEANED, GROWING, rows_of
from workflows import purchase_prediction as workflow

JOB = ("States.TaskFailed", '{"State": "FAILED", "ErrorMessage": "no room"}')
FAULTS = {
    "Receive trigger": ("AccessDenied", "not authorized"),
    "Crawl raw data": ("CrawlFailed", "AccessDenied"),
    "Check raw data": ("RawDataCheckFailed", "orders_are_unique: 1 violation(s)"),
    "Make the cleaning job": ("DataBrew.AccessDeniedException", "not authorized"),
    "Make the dataset of prior lines": ("DataBrew.AccessDeniedException", "not authorized"),
    "Make the job for product features": ("DataBrew.ValidationException", "no such recipe"),
    "Look at raw files again": ("AccessDenied", "not authorized"),
    "Pin live model": ("NoSuchKey", "The specified key does not exist"),
    "Judge model": ("TrainingStopped", "Training job rebuy-x is Stopped."),
    "Create model": ("SageMaker.ResourceInUseException", "no quota"),
    "Create endpoint config": ("SageMaker.ResourceInUseException", "no quota"),
    "Put model live": ("EndpointDidNotChange", "did not pass the ping health check"),
    "Smoke test": ("SmokeTestFailed", "Golden row 1: 0.5 instead of 0.2."),
    # While it takes back what failed before it, which then fails in the next try.
    "Roll back": ("AccessDenied", "not authorized"),
    "Write audit record": ("AccessDenied", "not authorized"),
}


@pytest.fixture(scope="module")
def stood_in(stack: Stack) -> str:
    return stand_in.deploy(stack)


def fault_key(arn: str, state: str) -> str:
    return f"faults/{arn.rsplit(':', 1)[1]}/{state}.json"


def test_every_state_in_turn_fails_is_mended_and_the_run_goes_on(
    stack: Stack, stood_in: str
) -> None:
    """One execution, in which every task fails once: each end is FAILED at that state with its
    error and cause, has a record, and is redriven; nothing that was done is done again. The other
    states cannot fail: choices have a default, and all that they read is always there."""
    s3 = stack.client("s3")
    tasks = stand_in.tasks_of(workflow.definition()["States"])
    # Nobody asks for trials (test_tuning.py), and the files are the five tables (tests/mapping).
    tasks = [name for name in tasks if name not in ("Tune", "Run mapping statement")]
    left = {name: FAULTS.get(name, JOB) for name in tasks}
    name = f"faults-{next(stack._numbers)}"
    for state, (error, cause) in left.items():
        s3.put_object(
            Bucket=stack.lake,
            Key=f"faults/{name}/{state}.json",
            Body=json.dumps({"error": error, "cause": cause}).encode(),
        )
    arn = stack.client("stepfunctions").start_execution(
        stateMachineArn=stood_in, name=name, input="{}"
    )["executionArn"]
    run, number = stack.wait(arn), 0
    while run.status != "SUCCEEDED":
        number += 1
        record = stack.record(arn, number)
        state = record["failed_state"]
        assert state in left, (state, run.error, run.cause, record["tries"][-2:])
        error, cause = left.pop(state)
        assert (run.status, run.error, record["error"]) == ("FAILED", error, error), state
        assert cause in json.loads(run.cause)["errorMessage"], state
        assert record["cause"] == run.cause
        assert record["tries"][-1]["status"] == "FAILED"
        s3.delete_object(Bucket=stack.lake, Key=fault_key(arn, state))
        run = stack.redrive(arn)

    assert left == {}
    last = stack.record(arn, number + 1)
    assert last["outcome"] == "published"
    assert [entry["status"] for entry in last["tries"]] == ["FAILED"] * number + ["SUCCEEDED"]
    entered = [(visit.state, visit.item) for visit in History(run.events).visits]
    again = {"Put model live", "Smoke test", "Publish tables", "Publish table", "Roll back"}
    again |= {"Wait for endpoint", "Serving?"}
    assert {state for state, item in entered if entered.count((state, item)) > 1} <= again

    good = stack.wait(stack.start({}, stood_in))
    assert good.status == "SUCCEEDED", f"{good.error}: {good.cause}"
    assert output_of(run).keys() - {"failure"} == output_of(good).keys()


def output_of(run: Execution) -> Json:
    output: Json = json.loads(run.events[-1]["executionSucceededEventDetails"]["output"])
    return output


def test_a_record_is_written_once_however_often_its_end_is_told(
    stack: Stack, stood_in: str
) -> None:
    run = stack.run({"colour": "red"}, stood_in)
    record = stack.record(run.arn)
    before = {key: stack.read(key) for key in stack.objects("audit/")}
    detail = {"executionArn": run.arn, "status": "FAILED", "redriveCount": 0}

    answers = [
        json.loads(
            stack.client("lambda")
            .invoke(
                FunctionName="rebuy-write-audit",
                Payload=json.dumps({"detail-type": "x", "detail": detail}),
            )["Payload"]
            .read()
        )
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    key = answers[0]["uri"].removeprefix(f"s3://{stack.lake}/")
    assert json.loads(before[key]) == record
    assert {key: stack.read(key) for key in stack.objects("audit/")} == before


def test_runs_that_start_together_go_one_after_the_other(stack: Stack, stood_in: str) -> None:
    runs = [stack.wait(arn) for arn in [stack.start({}, stood_in) for _ in range(3)]]

    assert [run.status for run in runs] == ["SUCCEEDED"] * 3
    assert "Wait for its turn" not in runs[0].states
    for before, run in itertools.pairwise(runs):
        began = next(
            event["timestamp"]
            for event in run.events
            if event.get("stateEnteredEventDetails", {}).get("name") == "Crawl raw data"
        )
        assert before.events[-1]["timestamp"] <= began
        assert "Wait for its turn" in run.states


ENDLESS = b"import time\nwhile True:\n    time.sleep(1)\n"
BIG = "x" * 150_000
ENDS: list[dict[str, Any]] = [
    {
        "why": "an error that nothing can catch",
        "states": {"Look": {"Type": "Pass", "Parameters": {"a.$": "$.missing"}, "End": True}},
        "status": "FAILED",
        "error": "States.Runtime",
    },
    {
        "why": "more data than a state may hand on",
        "states": {
            "Look": {
                "Type": "Pass",
                "Parameters": {"a": BIG, "b.$": f"States.Format('{{}}{{}}', '{BIG}', '{BIG}')"},
                "End": True,
            }
        },
        "status": "FAILED",
        "error": "States.DataLimitExceeded",
    },
    {
        "why": "the whole workflow's time is over",
        "states": {"Look": {"Type": "Wait", "Seconds": 1_000, "End": True}},
        "timeout_seconds": 1,
        "status": "TIMED_OUT",
        "error": "States.Timeout",
    },
    {
        "why": "stopped by a person",
        "states": {"Look": {"Type": "Wait", "Seconds": 10_000, "End": True}},
        "status": "ABORTED",
        "error": "StoppedByUser",
    },
]


@pytest.mark.parametrize("case", ENDS, ids=itemgetter("why"))
def test_ends_that_the_workflow_itself_cannot_see_are_recorded(
    stack: Stack, case: dict[str, Any]
) -> None:
    limit = {"TimeoutSeconds": case["timeout_seconds"]} if "timeout_seconds" in case else {}
    machine = stack.create({"StartAt": "Look", "States": case["states"], **limit})
    arn = stack.start({}, machine)
    if case["status"] == "ABORTED":
        stack.rebuy("stop", arn)

    run = stack.wait(arn)
    record = stack.record(arn)

    assert run.status == record["status"] == case["status"]
    assert record["error"] == case["error"]
    assert record["failed_state"] == "Look"
    assert record["outcome"] in ("failed", "timed out", "stopped")
    (only,) = record["tries"]
    assert only["ended_at"] and only["failed_state"] == "Look"


# -- the real chain ----------------------------------------------------------------------------


def run_id_of(execution: Execution) -> str:
    state = "Crawl raw data" if "Crawl raw data" in execution.states else execution.states[0]
    return str(execution.entered(state)["run"]["id"])


def same_sets(stack: Stack, good: Execution, run: Execution) -> None:
    """The run's sets are those of the run that nothing disturbed."""
    ids = [run_id_of(execution) for execution in (good, run)]
    for name in ("training", "validation", "holdout", "scoring"):
        sets = [stack.parquet(f"runs/run={run_id}/sets/set={name}/") for run_id in ids]
        assert sets[0].equals(sets[1]), name


def test_a_mended_file_is_planned_crawled_and_checked_again(stack: Stack, good: Execution) -> None:
    """As far as the clean tables, which are those of the run that nothing disturbed."""
    key = "raw/departments/departments.csv"
    machine = stack.machine("Receive trigger", replace=CLEANED)
    stack.client("s3").delete_object(Bucket=stack.raw_bucket, Key=key)
    try:
        run = stack.run(None, machine)
    finally:
        stack.restore_raw()
    first = stack.record(run.arn)
    assert (run.error, first["failed_state"]) == ("RawDataCheckFailed", "Check raw data")
    message = json.loads(run.cause)["errorMessage"]
    assert "raw_tables_are_as_expected: 1 violation(s)" in message
    assert '"found": "no such table"' in message
    assert first["outputs"] == []

    again = stack.rebuy("redrive", run.arn, "--wait")

    assert again.stdout.split()[-1] == "SUCCEEDED"
    run = stack.wait(run.arn)
    for table in GROWING:
        of_runs = [f"cleaned_{table}_{run_id_of(execution)}" for execution in (good, run)]
        assert rows_of(stack, of_runs[0]) == rows_of(stack, of_runs[1])
    record = stack.record(run.arn, 2)
    assert key in [entry["key"] for entry in record["inputs"]]
    assert key not in [entry["key"] for entry in first["inputs"]]
    assert run.states.count("Receive trigger") == 2
    assert [entry["failed_state"] for entry in record["tries"]] == ["Check raw data", None]


WRONG_WORDS = "code that is wrong"
WRONG = f'raise ValueError("{WRONG_WORDS}")'
MENDED = {  # part of a version's code: the state that runs it, a fault
    "script": (
        "Join features",
        "tasks/glue_jobs/join_features.py",
        "    summary = write_sets(spark, arguments)\n",
        f"    {WRONG}\n",
    ),
    "training": (
        "Train",
        "training/train.py",
        "        outcome = train(job)\n",
        f"        {WRONG}\n",
    ),
    "functions": (
        "Judge model",
        "tasks/functions/judge_model.py",
        "def handler(event: Json, context: Any) -> Json:\n",
        f"def handler(event: Json, context: Any) -> Json:\n    {WRONG}\n",
    ),
}


@pytest.fixture(scope="module")
def failed(
    stack: Stack, good: Execution, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Execution]:
    """Runs of a version that has all these faults, by the state where they failed; what is
    deployed now has none."""
    edits = [(file, old, new) for _, file, old, new in MENDED.values()]
    runs = {}
    with deployed(stack, tmp_path_factory.mktemp("wrong") / "checkout", *edits):
        for state, until in (("Join features", "Join features"), ("Train", None)):
            given = stack.fork(good, state)
            given["run"]["options"]["publish"] = "never"
            runs[state] = stack.run(given, stack.machine(state, until=until))
        arn = runs["Train"].arn
        refused = stack.rebuy("redrive", arn, "--with-code", "training", check=False)
        assert "is of the version that is live" in refused.stderr
    return runs


@pytest.mark.parametrize(
    ("state", "parts"),
    [("Join features", ["script"]), ("Train", ["training", "functions"])],
)
def test_mended_code_is_that_of_a_redrive_when_the_version_is_amended(
    stack: Stack, good: Execution, failed: dict[str, Execution], state: str, parts: list[str]
) -> None:
    """An execution ends with the code that it began with, unless somebody says otherwise: then
    the failed version alone has the code that is deployed now, and the record tells it."""
    run = failed[state]
    for part in parts:
        assert run.status == "FAILED" and WRONG_WORDS in run.cause
        assert MENDED[part][0] == run.states[-1]
        if part == "functions":  # a redrive alone changes nothing
            run = stack.redrive(run.arn)
            assert run.status == "FAILED" and WRONG_WORDS in run.cause
        stack.rebuy("redrive", run.arn, "--with-code", part, "--wait", check=part == parts[-1])
        run = stack.wait(run.arn)

    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    told = amendments_of(stack, run.arn)
    if state == "Join features":
        same_sets(stack, good, run)
    else:
        assert stack.record(run.arn, 4)["amendments"] == told
        assert stack.record(run.arn, 2)["amendments"] == told[:-1]
    hashes = {package.name: package.sha256 for package in packages.build()}
    for part, amendment in zip(parts, told[-len(parts) :], strict=True):
        after = {change["what"]: change["after"] for change in amendment["changes"]}
        assert amendment["execution"] == run.arn
        assert all(change["before"] != change["after"] for change in amendment["changes"])
        if part == "functions":
            assert "function rebuy-judge-model" in after
        else:
            assert after == {FILES[part]: hashes[FILES[part]]}


def amendments_of(stack: Stack, arn: str) -> list[Json]:
    """Of the version that the execution is of."""
    text = stack.client("stepfunctions").describe_state_machine_for_execution(executionArn=arn)
    bucket = names.named(names.CODE, stack.connection)
    release = releases.of_definition(text["definition"], bucket)
    assert release is not None
    return releases.amendments(stack.client("s3"), release)


def limit_runs(glue: Any, job: Json, most: int, **command: str) -> None:
    """Raises or lowers the Glue job's quota of runs at a time; `command` changes its script."""
    kept = ("Role", "GlueVersion", "WorkerType", "NumberOfWorkers", "Timeout")
    update = {member: job[member] for member in kept} | {
        "Command": {**job["Command"], **command},
        "ExecutionProperty": {"MaxConcurrentRuns": most},
    }
    glue.update_job(JobName=job["Name"], JobUpdate=update)


def test_a_quota_that_is_raised_lets_the_run_go_on(stack: Stack, good: Execution) -> None:
    """Another run of the Glue job, which does not end, is all that the quota allows."""
    glue, key = stack.client("glue"), "runs/endless.py"  # where the job's role may read
    stack.client("s3").put_object(Bucket=stack.lake, Key=key, Body=ENDLESS)
    given = stack.fork(good, "Join features")
    machine = stack.machine("Join features", until="Join features")
    name = json.loads(
        stack.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["definition"]
    )["States"]["Join features"]["Parameters"]["JobName"]
    job = glue.get_job(JobName=name)["Job"]
    limit_runs(glue, job, 1, ScriptLocation=f"s3://{stack.lake}/{key}")
    other = glue.start_job_run(JobName=name)["JobRunId"]
    try:
        limit_runs(glue, job, 1)
        run = stack.run(given, machine)
        assert (run.status, run.error) == ("FAILED", "Glue.ConcurrentRunsExceededException")
        assert f"Concurrent runs exceeded for {name}" in run.cause
        record = stack.record(run.arn)
        assert (record["failed_state"], record["cause"]) == ("Join features", run.cause)

        limit_runs(glue, job, 2)
        run = stack.redrive(run.arn)
    finally:
        glue.batch_stop_job_run(JobName=name, JobRunIds=[other])
        limit_runs(glue, job, job["ExecutionProperty"]["MaxConcurrentRuns"])

    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    same_sets(stack, good, run)


@pytest.fixture
def publishing(stack: Stack, good: Execution) -> Iterator[Json]:
    yield stack.fork(good, "Create model")


def test_a_mended_model_is_published_after_the_roll_back(
    stack: Stack, good: Execution, publishing: Json
) -> None:
    """The endpoint could not start with it; what was live stayed; then both go live together."""
    before = stack.live()
    bucket, _, key = publishing["training"]["model_uri"].removeprefix("s3://").partition("/")
    model = stack.read(key)
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=b"no model")
    run = stack.run(publishing, stack.machine("Create model"))
    assert run.status == "FAILED"
    assert stack.record(run.arn)["failed_state"] in ("Create model", "Put model live")
    assert stack.live().endpoint_config == before.endpoint_config
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=model)

    run = stack.redrive(run.arn)

    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    after = stack.live()
    assert after.endpoint_config.startswith(f"rebuy--{publishing['run']['name']}")
    assert after.answer == before.answer
    assert after.views != before.views


def test_tables_that_cannot_be_published_take_the_model_back(
    stack: Stack, good: Execution, publishing: Json
) -> None:
    before = stack.live()
    table = publishing["features"]["user_features"]["table"]
    glue, database = stack.client("glue"), stack.outputs["Database"]
    from tests.pipeline.stack import table_input

    definition = table_input(glue.get_table(DatabaseName=database, Name=table)["Table"])
    glue.delete_table(DatabaseName=database, Name=table)

    run = stack.run(publishing, stack.machine("Create model"))

    assert (run.status, run.error) == ("FAILED", "States.TaskFailed"), f"{run.error}: {run.cause}"
    record = stack.record(run.arn)
    assert (record["failed_state"], record["failed_item"]) == ("Publish table", "user_features")
    after = stack.live()
    assert (after.endpoint_config, after.answer) == (before.endpoint_config, before.answer)
    assert after.views == before.views

    glue.create_table(DatabaseName=database, TableInput=definition)
    run = stack.redrive(run.arn)
    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    assert stack.live().views != before.views
    assert stack.record(run.arn, 2)["outcome"] == "published"
