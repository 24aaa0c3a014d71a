"""The state machine: what every task has, and that each change is seen in review."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest

from tasks import stages
from tasks.states import every_state as of_states
from tasks.without_clients import without_clients
from workflows import purchase_prediction as workflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return json.loads(workflow.definition_bytes())


def every_state(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return of_states(machine["States"])


def test_the_checked_in_definition_is_the_one_that_is_built() -> None:
    assert workflow.GOLDEN.read_bytes() == workflow.definition_bytes(), (
        "look at the change with `rebuy definition --write` and `git diff`"
    )


def test_two_builds_in_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the user has configured for the SDK."""
    (tmp_path / "config.yaml").write_text(
        "SchemaVersion: '1.0'\nSageMaker: {TrainingJob: {EnableNetworkIsolation: true,"
        " VpcConfig: {SecurityGroupIds: [sg-1], Subnets: [subnet-1]}}}\n"
    )
    theirs = {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(tmp_path / "config.yaml")}
    build = (
        "import hashlib; from workflows.purchase_prediction import definition_bytes;"
        "print(hashlib.sha256(definition_bytes()).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", build],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "", "HOME": "/nonexistent", **more},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for seed, more in (("1", {}), ("2", theirs))
    }
    assert hashes == {workflow.definition_sha256()}


def test_every_task_is_retried_limited_and_selected(definition: dict[str, Any]) -> None:
    for name, state in every_state(definition):
        if state["Type"] != "Task":
            continue
        assert state.get("Retry"), name
        assert state.get("TimeoutSeconds"), name
        selected = "Output" if state.get("QueryLanguage") == "JSONata" else "ResultSelector"
        assert selected in state, name
        for retry in state["Retry"]:
            assert retry["MaxDelaySeconds"] == 60, name
            assert retry["JitterStrategy"] == "FULL", name


# What is caught, and where it goes on: everything else fails the execution where it failed.
EXISTS, GONE = ["DataBrew.ConflictException"], ["DataBrew.ResourceNotFoundException"]
CAUGHT = {
    "Check raw data": (["FilesChanged"], "Receive trigger"),
    "Look at raw files again": (["FilesChanged"], "Receive trigger"),
    "Make the cleaning job": (EXISTS, "Clean table"),
    "Clean table": (GONE, "Make the cleaning job"),
    "Make the dataset of prior lines": (EXISTS, "Make the job for product features"),
    "Make the job for product features": (EXISTS, "Compute product features"),
    "Compute product features": (GONE, "Make the dataset of prior lines"),
    "Put model live": (["States.ALL"], "Roll back"),
    "Smoke test": (["States.ALL"], "Roll back"),
    "Publish tables": (["States.ALL"], "Roll back"),
}


def test_only_what_has_an_answer_is_caught(definition: dict[str, Any]) -> None:
    caught = {
        name: (catch["ErrorEquals"], catch["Next"])
        for name, state in every_state(definition)
        for catch in state.get("Catch", [])
    }
    assert caught == CAUGHT


def test_nothing_ends_a_run_but_its_failure_and_the_written_record(
    definition: dict[str, Any],
) -> None:
    """A Fail state would fail again when it is redriven."""
    states = definition["States"]
    ends = [name for name, state in states.items() if state.get("End")]
    assert ends == ["Write audit record"]
    assert not [n for n, s in every_state(definition) if s["Type"] in ("Succeed", "Fail")]
    for name in states:
        assert reaches(states, name, "Write audit record"), name


def test_a_run_has_at_most_49_states(definition: dict[str, Any]) -> None:
    assert len(list(every_state(definition))) <= 49


def test_what_a_service_keeps_by_name_is_named_after_run_and_try(
    definition: dict[str, Any],
) -> None:
    """A redriven state may not collide with what its first try left."""
    redriven = "$states.context.Execution.RedriveCount"
    arguments = {
        name: json.dumps(state.get("Arguments", {})) for name, state in every_state(definition)
    }
    for name, member in (
        ("Train", "TrainingJobName"),
        ("Create model", "ModelName"),
        ("Create endpoint config", "EndpointConfigName"),
    ):
        assert "$states.input.run." in arguments[name] and redriven in arguments[name], name
        assert f'"{member}": "{{%' in arguments[name], name
    statements = [text for text in arguments.values() if '"QueryString"' in text]
    items = json.dumps([state.get("Items") for _, state in every_state(definition)])
    assert all(f"& {redriven} & '/'" in text for text in statements)  # the client token
    written = " ".join([*statements, items])
    defined = re.findall(r"CREATE EXTERNAL TABLE( IF NOT EXISTS)?", written)
    assert len(defined) == 4 and all(defined)
    made = [text for text in statements if re.search(r"CREATE TABLE \$\{\w+\}", text)]
    assert made and all(f"({redriven} > 0 ? '_'" in text for text in made)
    assert all("$states.input.run." in text and '"QueryString": "{%' in text for text in made)


def test_state_names_are_unique_in_the_whole_machine(definition: dict[str, Any]) -> None:
    names = [name for name, _ in every_state(definition)]
    assert sorted(names) == sorted(set(names))


def test_every_state_says_its_stage_and_the_ten_are_in_order(definition: dict[str, Any]) -> None:
    titles = {}
    for name, state in every_state(definition):
        match = stages.COMMENT.match(state["Comment"])
        assert match, name
        titles[int(match[1])] = match[2]
    assert titles == stages.TITLES


def test_only_placeholders_that_the_template_fills_in_are_left(
    definition: dict[str, Any],
) -> None:
    from infrastructure.template import workflow as resources

    given = resources.state_machine()["StateMachine"]["Properties"]["DefinitionSubstitutions"]
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


def test_other_threads_have_clients_while_the_sdk_has_none() -> None:
    with without_clients(), ThreadPoolExecutor(1) as other:
        ours = boto3.Session(region_name="us-east-1").client("s3")
        theirs = other.submit(boto3.Session(region_name="us-east-1").client, "s3").result()

    assert isinstance(ours, Mock) and callable(type(theirs).get_object)
