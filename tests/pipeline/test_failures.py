"""Whatever breaks: the run ends FAILED there, says truly why, and nothing live changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from configuration.errors import DeploymentError
from tests.pipeline.checkout import Checkout, deployed
from tests.pipeline.stack import Execution, Json, Live, Stack

# One broken deployment, which fails in as many states as it can be started at.
SPARK = """
    spark.sql("SELECT * FROM a_table_that_nobody_made").collect()
    summary = write_sets(spark, arguments)
"""
BROKEN = (
    ("databrew_recipes/clean_orders.json", '"order_id"', '"order_identity"'),
    ("sql/features/user_features.sql", "GROUP BY user_id", "GRUOP BY user_id"),
    ("tasks/glue_jobs/join_features.py", "    summary = write_sets(spark, arguments)\n", SPARK),
    (
        "training/train.py",
        "    try:\n        job",
        '    print("no coffee left", file=sys.stderr)\n    sys.exit(3)\n    try:\n        job',
    ),
    ("inference/serve.py", "probabilities(model.booster, matrix)", "np.full(len(matrix), 0.5)"),
)


@contextmanager
def nothing_changes(stack: Stack) -> Iterator[Live]:
    """What was live, recorded and published before is afterwards."""
    before = stack.live()
    yield before
    after = stack.live()
    assert after.endpoint_config == before.endpoint_config
    assert after.answer == before.answer
    assert after.views == before.views
    assert before.records.items() <= after.records.items()


def assert_failed_at(stack: Stack, run: Execution, state: str, error: str) -> Json:
    """FAILED, with this error, at this state: by the history and by the audit record."""
    assert (run.status, run.error) == ("FAILED", error), f"{run.error}: {run.cause}"
    record = stack.record(run.arn)
    assert record["status"] == "FAILED"
    assert (record["error"], record["cause"]) == (error, run.cause)
    assert record["failed_state"] == state
    item = record["failed_item"]  # the other items of a Map are aborted
    (*_, visit) = (v for v in record["states"] if (v["state"], v["item"]) == (state, item))
    assert visit["attempts"][-1]["status"] == "failed"
    shown = stack.rebuy("audit", run.arn).stdout
    place = state if item is None else f"{state} ({item})"
    assert shown.startswith("FAILED") and f"at {place}: {error}" in shown
    return record


# -- raw data that is not as it must be --------------------------------------------------------


def header_only(text: str) -> str:
    return text.splitlines(keepends=True)[0]


# One of each kind: what each check finds is in tests/transform/test_checks.py.
DATA: list[dict[str, Any]] = [
    {
        "why": "a file that no table reads",
        "key": "raw/orders.csv",
        "change": lambda text: "order_id\n1\n",
        "check": "raw_files_belong_to_a_table: 1 violation(s)",
        "sample": '"key": "raw/orders.csv"',
    },
    {
        "why": "wrong columns",
        "key": "raw/aisles/aisles.csv",
        "change": lambda text: text.replace("aisle_id,aisle", "aisle_id,name", 1),
        "check": "raw_files_have_the_header: 1 violation(s)",
        "sample": '"value": "aisle_id,name", "problem": "its header lacks aisle and has name"',
    },
    {
        "why": "a file without rows",
        "key": "raw/products/products.csv",
        "change": header_only,
        "check": "tables_are_not_empty: 1 violation(s)",
        "sample": '"table_name": "products"',
    },
    {
        "why": "bad types",
        "key": "raw/orders/orders.csv",
        "change": lambda text: text.rstrip("\n").rpartition("\n")[0] + "\nsoon,1,prior,x,1,1,1\n",
        "check": "orders_have_valid_types: 1 violation(s)",
        "sample": '"at": "raw/orders/orders.csv, line ',
    },
    {
        "why": "a line break within quotes",
        "key": "raw/products/products.csv",
        "change": lambda text: text.rstrip("\n") + '\n999999999,"a\nb",1,1\n',
        "check": "raw_lines_close_their_quotes: 2 violation(s)",
        "sample": '"value": "999999999,\\"a"',
    },
]


@pytest.mark.parametrize("case", DATA, ids=itemgetter("why"))
def test_bad_raw_data_is_refused_with_check_count_and_sample(
    stack: Stack, good: Execution, case: dict[str, Any]
) -> None:
    s3 = stack.client("s3")
    changed = case["change"](stack.raw.get(case["key"], b"").decode())
    with nothing_changes(stack):
        try:
            if changed is None:
                s3.delete_object(Bucket=stack.raw_bucket, Key=case["key"])
            else:
                s3.put_object(Bucket=stack.raw_bucket, Key=case["key"], Body=changed.encode())
            run = stack.run()
        finally:
            stack.restore_raw()

        record = assert_failed_at(stack, run, "Check raw data", "RawDataCheckFailed")
    message = json.loads(run.cause)["errorMessage"]
    assert case["check"] in message
    assert case["sample"] in message
    assert record["outputs"] == []
    assert [entry["key"] for entry in record["inputs"]] == sorted(
        key for key in {*stack.raw, case["key"]} if changed is not None or key != case["key"]
    )


def test_unknown_input_is_refused_by_name(stack: Stack, good: Execution) -> None:
    with nothing_changes(stack):
        run = stack.run({"publish": "always", "colour": "red"})
        record = assert_failed_at(stack, run, "Receive trigger", "InvalidInput")

    assert "Unknown input colour; accepted are " in run.cause
    assert record["run"] is record["trigger"] is None


# -- code that is wrong ------------------------------------------------------------------------


def test_recipe_with_an_unknown_operation_is_refused_at_deployment_by_name(
    stack: Stack, good: Execution, tmp_path: Path
) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.edit("databrew_recipes/clean_orders.json", "CHANGE_DATA_TYPE", "MAKE_COFFEE")

    with nothing_changes(stack):
        with pytest.raises(DeploymentError) as refused:
            checkout.deploy(stack)
        status = stack.client("cloudformation").describe_stacks(StackName="rebuy")["Stacks"][0]

    assert "CleanOrdersRecipe" in str(refused.value) and "MAKE_COFFEE" in str(refused.value)
    assert status["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


@pytest.fixture(scope="module")
def broken(
    stack: Stack, good: Execution, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack while a deployment is live in which nearly everything is broken."""
    with deployed(stack, tmp_path_factory.mktemp("broken") / "checkout", *BROKEN):
        yield stack


def run_from(stack: Stack, good: Execution, state: str) -> Execution:
    """The workflow as deployed now, from `state` on, as if the states before had gone well."""
    return stack.run(stack.fork(good, state), stack.machine(state))


def test_recipe_that_fails_ends_the_run_at_its_job(broken: Stack, good: Execution) -> None:
    with nothing_changes(broken):
        run = broken.run()  # all of it, as a person starts it

        record = assert_failed_at(broken, run, "Clean table", "States.TaskFailed")
    assert record["failed_item"] == "orders"
    described = json.loads(run.cause)
    assert described["State"] == "FAILED"
    assert "order_identity" in described["ErrorMessage"]


def test_typo_in_a_feature_statement_is_told_as_athena_tells_it(
    broken: Stack, good: Execution
) -> None:
    with nothing_changes(broken):
        run = run_from(broken, good, "Build features")

        # A statement that is no SQL is refused before it becomes a query.
        assert_failed_at(broken, run, "Compute user features", "Athena.InvalidRequestException")
    assert re.match(r"line \d+:\d+: mismatched input 'GRUOP'", run.cause)


def test_spark_exception_is_in_the_cause(broken: Stack, good: Execution) -> None:
    with nothing_changes(broken):
        run = run_from(broken, good, "Join features")

        assert_failed_at(broken, run, "Join features", "States.TaskFailed")
    described = json.loads(run.cause)
    assert described["JobRunState"] == "FAILED"
    assert "AnalysisException" in described["ErrorMessage"]
    assert "a_table_that_nobody_made" in described["ErrorMessage"]


def test_exit_code_and_last_words_of_a_training_script_are_in_the_cause(
    broken: Stack, good: Execution
) -> None:
    with nothing_changes(broken):
        run = run_from(broken, good, "Train")

        record = assert_failed_at(broken, run, "Train", "States.TaskFailed")
    described = json.loads(run.cause)
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("AlgorithmError")
    assert "no coffee left" in described["FailureReason"]
    assert "exit code: 3" in described["FailureReason"].lower()
    assert record["model"] is None and record["gate"] is None


def test_endpoint_that_answers_wrongly_is_rolled_back(broken: Stack, good: Execution) -> None:
    with nothing_changes(broken) as before:
        run = run_from(broken, good, "Create model")

        record = assert_failed_at(broken, run, "Smoke test", "SmokeTestFailed")
    assert "Golden row" in run.cause and "0.5 instead of" in run.cause
    assert {"Put model live", "Roll back", "Wait for endpoint"} <= set(run.states)
    assert record["endpoint"]["after"]["endpoint_config"] == before.endpoint_config


def test_endpoint_that_does_not_start_leaves_the_old_one_in_service(
    broken: Stack, good: Execution
) -> None:
    """The model cannot even be loaded: SageMaker itself keeps the old configuration."""
    given = broken.fork(good, "Create model")
    bucket, _, key = given["training"]["model_uri"].removeprefix("s3://").partition("/")
    broken.client("s3").put_object(Bucket=bucket, Key=key, Body=empty_archive())
    with nothing_changes(broken):
        run = broken.run(given, broken.machine("Create model"))

        assert_failed_at(broken, run, "Put model live", "EndpointDidNotChange")
    assert "did not pass the ping health check" in run.cause
    assert "xgboost-model" in run.cause or "model.json" in run.cause


def empty_archive() -> bytes:
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz"):
        pass
    return buffer.getvalue()
