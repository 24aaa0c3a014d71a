"""A new model that answers some of the requests first, and answers them wrongly."""

from __future__ import annotations

import threading
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.deploy import deploy
from tests.pipeline.checkout import Checkout
from tests.pipeline.stack import Execution, Stack
from tests.pipeline.test_failures import assert_failed_at, nothing_changes

# In the tests' time twelve seconds, in which the alarms are looked at twice.
CANARY = {
    "endpoint_instances_min": 2,
    "endpoint_instances_max": 3,
    "endpoint_canary_percent": 50,
    "endpoint_canary_minutes": 10,
}
ANSWERS = "probabilities(model.booster, matrix)"


@contextmanager
def with_canary(stack: Stack, checkout: Checkout) -> Iterator[None]:
    """The stack with what the checkout says and new models watched; afterwards as it was."""
    plain = stack.connection.settings
    try:
        stack.connection.settings = plain.model_copy(update=CANARY)
        checkout.deploy(stack)
        yield
    finally:
        stack.connection.settings = plain
        deploy(stack.connection, lambda line: None)


@contextmanager
def customers(stack: Stack) -> Iterator[Counter[str]]:
    """People ask for predictions all the time; how often each status came back."""
    answers: Counter[str] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            try:
                stack.predict()
                answers["200"] += 1
            except urllib.error.HTTPError as error:
                answers[str(error.code)] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


def test_a_model_that_fails_its_first_requests_goes_back_and_publishes_nothing(
    stack: Stack, good: Execution, tmp_path: Path
) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.edit("inference/serve.py", ANSWERS, "model.no_such_member")
    with nothing_changes(stack) as before, with_canary(stack, checkout):
        given = stack.fork(good, "Create model")
        machine = stack.machine("Create model")
        with customers(stack) as answers:
            run = stack.run(given, machine)

        record = assert_failed_at(stack, run, "Put model live", "EndpointDidNotChange")
        alarms = stack.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        (errors,) = (one["AlarmName"] for one in alarms if one["AlarmName"] in run.cause)
        assert errors.endswith("-errors") and f"is in ALARM: {errors}" in run.cause
        assert record["endpoint"]["after"]["endpoint_config"] == before.endpoint_config
    # Half of the requests were the new model's, until the alarm; never all of them.
    assert answers["200"] > answers["500"] + answers["502"] + answers["503"] > 0
