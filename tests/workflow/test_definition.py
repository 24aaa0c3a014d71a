"""The state machine: what every task has, and that each change is seen in review."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflows import purchase_prediction as workflow
from workflows import stages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return json.loads(workflow.definition_bytes())


def every_state(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """(name, state, whether it stands in a branch)."""

    def walk(states: dict[str, Any], nested: bool) -> Iterator[tuple[str, dict[str, Any], bool]]:
        for name, state in states.items():
            yield name, state, nested
            for branch in state.get("Branches", []):
                yield from walk(branch["States"], True)

    yield from walk(machine["States"], False)


def test_the_checked_in_definition_is_the_one_that_is_built() -> None:
    assert workflow.GOLDEN.read_bytes() == workflow.definition_bytes(), (
        "look at the change with `rebuy definition --write` and `git diff`"
    )


def test_two_builds_in_two_processes_give_the_same_bytes() -> None:
    build = (
        "import hashlib; from workflows.purchase_prediction import definition_bytes;"
        "print(hashlib.sha256(definition_bytes()).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", build],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "", "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for seed in ("1", "2")
    }
    assert hashes == {workflow.definition_sha256()}


def test_every_task_is_retried_limited_selected_and_caught(definition: dict[str, Any]) -> None:
    for name, state, nested in every_state(definition):
        if state["Type"] != "Task":
            continue
        assert state.get("Retry"), name
        assert state.get("TimeoutSeconds"), name
        assert "ResultSelector" in state, name
        # Within a branch, the Parallel state around it catches.
        assert nested or state.get("Catch"), name
        for retry in state["Retry"]:
            assert retry["MaxDelaySeconds"] == 60, name
            assert retry["JitterStrategy"] == "FULL", name


ROLL_BACK = {"Roll back endpoint", "Watch roll back", "Delete endpoint"}


def test_every_failure_leads_to_the_audit_record(definition: dict[str, Any]) -> None:
    states = definition["States"]
    for name, state in states.items():
        if state["Type"] not in ("Task", "Parallel") or name == "Write audit record":
            continue
        last = state["Catch"][-1]
        assert last["ErrorEquals"] == ["States.ALL"], name
        assert reaches(states, last["Next"], "Write audit record"), name
        # What goes wrong while rolling back may not hide why it was rolled back.
        path = "$.roll_back_failure" if name in ROLL_BACK else "$.failure"
        assert last["ResultPath"] == path, name


def test_no_way_ends_without_the_audit_record(definition: dict[str, Any]) -> None:
    states = dict(definition["States"])
    del states["Write audit record"]
    for name, state in states.items():
        if state["Type"] in ("Succeed", "Fail"):
            assert not reaches(states, definition["StartAt"], name), name


def test_a_failed_run_fails_with_its_own_error_and_cause(definition: dict[str, Any]) -> None:
    failed = definition["States"]["Run failed"]
    assert failed["ErrorPath"] == "$.failure.Error"
    assert failed["CausePath"] == "$.failure.Cause"


def test_names_that_aws_sees_come_from_the_execution(definition: dict[str, Any]) -> None:
    for name, state, _ in every_state(definition):
        for key in ("TrainingJobName", "ModelName", "EndpointConfigName"):
            assert key not in state.get("Parameters", {}), name
    tables = [
        state["Parameters"]["QueryString.$"]
        for _, state, _ in every_state(definition)
        if "startQueryExecution" in state.get("Resource", "")
    ]
    assert len(tables) == 10
    assert all("$.run.id" in text for text in tables)


def test_state_names_are_unique_in_the_whole_machine(definition: dict[str, Any]) -> None:
    names = [name for name, _, _ in every_state(definition)]
    assert sorted(names) == sorted(set(names))


def test_every_state_says_its_stage_and_the_ten_are_in_order(definition: dict[str, Any]) -> None:
    titles = {}
    for name, state, _ in every_state(definition):
        match = stages.COMMENT.match(state["Comment"])
        assert match, name
        titles[int(match[1])] = match[2]
    assert titles == stages.TITLES


def test_only_placeholders_that_the_template_fills_in_are_left(
    definition: dict[str, Any],
) -> None:
    from infrastructure import template

    given = template.state_machine()["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    used = set(re.findall(r"\$\{(\w+)\}", workflow.definition_bytes().decode()))
    assert used == set(given)


def reaches(states: dict[str, Any], start: str, goal: str) -> bool:
    """Whether `goal` can be reached from `start` over Next, Choices, Default and Catch."""
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name in seen or name not in states:
            continue
        seen.add(name)
        state = states[name]
        waiting += [state[key] for key in ("Next", "Default") if key in state]
        waiting += [choice["Next"] for choice in state.get("Choices", [])]
        waiting += [catch["Next"] for catch in state.get("Catch", [])]
    return False
