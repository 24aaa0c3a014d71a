"""Definitions that somebody or something has broken, and inputs that fit nothing: whatever is
accepted ends, as AWS would have it end, and the engine goes on."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from localaws.core.aws import start
from localaws.s3 import api as s3
from tests.conftest import cases
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services

Json = dict[str, Any]

EXAMPLES = int(os.environ.get("REBUY_FUZZ", "300"))
MACHINE_SECONDS = 2  # every definition has this timeout, so that a loop without end has an end
ENDS_SECONDS = 20
SOUND = [case["definition"] for case in cases("histories")]
# Maps of both modes with retriers, catchers, batches, tolerance and limits, on items of any kind.
RETRY = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "BackoffRate": 1.5}]
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "T", "ResultPath": "$.e"}]
CALL = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Retry": RETRY,
        "Parameters": {"FunctionName": "f", "Payload.$": "$"}}  # fmt: skip
for mode in ("INLINE", "DISTRIBUTED"):
    for inner in ({"Type": "Pass"}, CALL, {"Type": "Fail", "Error": "E"}):
        config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode != "INLINE" else {})
        spread: Json = {
            "Type": "Map",
            "ItemsPath": "$.v",
            "MaxConcurrency": 2,
            "ToleratedFailureCount": 1,
            "ResultPath": "$.out",
            "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"},
            "ItemProcessor": {**machine(I=dict(inner)), "ProcessorConfig": config},
            "Retry": RETRY,
            "Catch": CATCH,
            "Next": "T",
        }
        if mode == "DISTRIBUTED":
            spread["ItemBatcher"] = {"MaxItemsPerBatch": 2}
        SOUND.append(machine(M=spread, T={"Type": "Pass"}))
# What goes where it does not belong.
STRANGE: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**12, [], {}, [None], {"a.$": "$.b"}),
    *("", "A", "$", "$.a", "$.a[?(@.b > 1)]", "$..x", "$$.Map.Item.Value", "$$.Task.Token", "$a"),
    *("States.Format('{}', $.a)", "States.ArrayRange(0, 900, 1)", "States.MathAdd($.a, 1)"),
    *("{% $states.input %}", "{% $x := function($n){$x($n)} %}", "{% 1/0 %}", "JSONata"),
    *("States.ALL", "States.Timeout", "2026-01-01T00:00:00Z", "arn:aws:states:::lambda:invoke"),
    {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}},
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
INPUTS = ANYTHING | st.lists(ANYTHING, max_size=4).map(lambda items: {"v": items})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member and item below the value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


@st.composite
def broken(draw: st.DrawFn) -> Json:
    """A sound definition after up to two accidents: a value that is lost, or another one, mostly
    of the same type, since most others are refused at once."""
    definition: Json = copy.deepcopy(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(0, 2))):
        found = list(places(definition))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        holder: Any = definition
        for key in way:
            holder = holder[key]
        kind = draw(st.sampled_from(["like", "like", "like", "any", "lost"]))
        alike = [value for value in STRANGE if type(value) is type(holder[last])] or STRANGE
        if kind == "lost":
            del holder[last]
        else:
            new = draw(st.sampled_from(alike if kind == "like" else STRANGE))
            holder[last] = copy.deepcopy(new)
    definition["TimeoutSeconds"] = MACHINE_SECONDS
    return definition


@pytest.fixture(scope="module")
def sfn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflows]:
    home = tmp_path_factory.mktemp("fuzz")
    aws = start(home, [s3.service, *services(jobs := Jobs())], wait_scale=0)
    aws.client("s3").create_bucket(Bucket="lake")
    yield Workflows(aws, jobs)
    aws.stop()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(definition=broken(), input_=INPUTS)
def test_whatever_is_accepted_ends(sfn: Workflows, definition: Json, input_: Any) -> None:
    try:
        arn = sfn.begin(definition, input_)
    except ClientError as refused:
        error = refused.response["Error"]
        assert error["Code"] in ("InvalidDefinition", "NotEmulated"), error
        event("refused")
        return
    done = sfn.wait(arn, ENDS_SECONDS)
    event(done.status)

    assert done.status in ("SUCCEEDED", "FAILED", "TIMED_OUT"), json.dumps(definition)
    assert "localaws failed" not in done.description.get("cause", ""), json.dumps(definition)
    assert [entry["id"] for entry in done.events] == list(range(1, len(done.events) + 1))


def test_the_engine_still_works(sfn: Workflows) -> None:
    assert sfn.run(machine(A={"Type": "Pass", "Result": 1})).output == 1
