"""Users' expressions end in time, and nobody but their own execution waits for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.stepfunctions import bounded, choice, paths
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.expression_cost import is_cheap
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services

Json = dict[str, Any]

EXPONENTIAL = '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)'
TIMEOUT = "Expression evaluation timeout"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LIMIT_SECONDS", 1.0)


def jsonata(text: str, **more: Any) -> Json:
    return {"Type": "Pass", "QueryLanguage": "JSONata", "Output": f"{{% {text} %}}", **more}


def test_a_regular_expression_without_end_fails_its_state_while_others_go_on(
    sfn: Workflows,
) -> None:
    stuck = sfn.begin(machine(A=jsonata(EXPONENTIAL)))
    began = time.monotonic()
    others = 0
    while sfn.client.describe_execution(executionArn=stuck)["status"] == "RUNNING":
        assert sfn.run(machine(A={"Type": "Pass"})).status == "SUCCEEDED"
        others += 1
        assert time.monotonic() - began < 20
    done = sfn.wait(stuck)

    assert others > 5
    assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")
    assert done.cause.endswith(f"threw an error during evaluation: {TIMEOUT}")


def test_what_takes_too_long_can_be_caught_stopped_and_restarted(
    tmp_path: Path, jobs: Jobs
) -> None:
    aws = start(tmp_path / "home", services(jobs), wait_scale=0)
    sfn = Workflows(aws, jobs)
    call = {"Type": "Task", "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "f", "Payload": f"{{% {EXPONENTIAL} %}}"},
            "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"}],
            "Next": "B"}  # fmt: skip
    caught = sfn.begin(machine(A=call, B={"Type": "Pass"}))
    assert sfn.wait(caught).status == "SUCCEEDED"
    stuck = sfn.begin(machine(A=jsonata(EXPONENTIAL)))
    sfn.until(sfn.has(stuck, "PassStateEntered"))
    began = time.monotonic()
    aws.stop()
    assert time.monotonic() - began < 10

    again = start(tmp_path / "home", services(jobs), wait_scale=0)
    try:
        assert Workflows(again, jobs).wait(stuck).status == "FAILED"
    finally:
        again.stop()


def test_stopping_an_execution_waits_for_its_step_only(sfn: Workflows) -> None:
    stuck = sfn.begin(machine(A=jsonata(EXPONENTIAL)))
    sfn.until(sfn.has(stuck, "PassStateEntered"))
    sfn.client.stop_execution(executionArn=stuck)
    assert sfn.wait(stuck).status in ("ABORTED", "FAILED")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("($f := function($n){$f($n)}; $f(1))", "evaluation"),
        ("$map([1..1000], function($i){$map([1..10000], function($j){$i * $j})})", TIMEOUT),
        ('$pad("x", 2000000000)', "memory limit exceeded"),
        ("$reduce([1..40], function($a, $b){$a & $a}, 'xxxxxxxxxxxxxxxx')", "evaluation"),
    ],
)
def test_loops_and_memory_have_an_end(sfn: Workflows, text: str, cause: str) -> None:
    done = sfn.wait(sfn.begin(machine(A=jsonata(text))), 30)
    assert done.error == "States.QueryEvaluationError"
    assert cause in done.cause


def test_a_filter_with_a_regular_expression_without_end_fails_its_state(sfn: Workflows) -> None:
    state = {"Type": "Pass", "Parameters": {"found.$": "$.x[?(@.a =~ /(a+)+b/)]"}}
    done = sfn.wait(sfn.begin(machine(A=state), {"x": [{"a": "a" * 40}]}), 20)
    assert done.error == "States.Runtime"
    assert "longer than 1 seconds" in done.cause


def test_a_path_that_looks_everywhere_many_times_has_an_end() -> None:
    deep: Any = 0
    for _ in range(60):
        deep = {"a": deep, "b": [1, 2]}
    with pytest.raises(StateError, match="more than 500000 places"):
        paths.find("$..a..a..a..a..a..a", {"$": deep})


def test_a_pattern_with_many_stars_is_quick() -> None:
    began = time.perf_counter()
    assert not choice.string_matches("a" * 5000, "*a" * 40 + "b")
    assert choice.string_matches("xaybzc", "x*b*c")
    assert not choice.string_matches("ab", "ab*b")
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("text", "cheap"),
    [
        ("$states.input.a + 1", True),
        ("$sum($states.input.items.price)", True),
        ("$states.input.items[price > 10].{'name': name, 'n': $count(tags)}", True),
        ("$map($states.input.items, function($i){ $i.name & '!' })", True),
        ("$exists($a) ? $uppercase($a) : 'none'", True),
        ("$split($states.input, ',')", True),
        ("$states.input.items.($states.input.items.(1))", False),
        ("$map($a, function($i){ $map($a, function($j){ $i }) })", False),
        ("$string([$string([$string([$string([$a])])])])", False),
        ("$replace($a, /b/, 'c')", False),
        ("[1..1000000]", False),
        ("$pad($a, 1000000)", False),
        ("($x := $a; $x)", False),
        ("$states.input.**.name", False),
        ("$eval($a)", False),
    ],
)
def test_only_what_is_linear_in_the_data_is_cheap(text: str, cheap: bool) -> None:
    assert is_cheap(text) is cheap


@pytest.fixture(scope="module", autouse=True)
def no_processes_are_left() -> Iterator[None]:
    yield
    bounded.WORKERS.stop()
