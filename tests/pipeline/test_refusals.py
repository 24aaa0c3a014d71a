"""A role has lost a statement: whoever follows a run is told which, whatever becomes of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infrastructure.drift import LostStatement, lost_by, roles
from rebuy.validation import account
from rebuy.validation.product import Product
from tests.pipeline.stack import Execution, Json, Stack


@contextmanager
def without(stack: Stack, logical: str, number: int, policy: str = "work") -> Iterator[None]:
    """The role without this statement of its policy, from 1, which it has again afterwards."""
    iam = stack.client("iam")
    named = {"RoleName": name_of(stack, logical), "PolicyName": policy}
    whole = iam.get_role_policy(**named)["PolicyDocument"]
    rest = [one for at, one in enumerate(whole["Statement"], 1) if at != number]
    try:
        if rest:
            iam.put_role_policy(**named, PolicyDocument=json.dumps({**whole, "Statement": rest}))
        else:
            iam.delete_role_policy(**named)
        yield
    finally:
        iam.put_role_policy(**named, PolicyDocument=json.dumps(whole))


def name_of(stack: Stack, logical: str) -> str:
    return next(name for name, found in roles(stack.connection).items() if found == logical)


def statements(stack: Stack, logical: str) -> list[tuple[str, int, Json]]:
    """(policy, number, statement) of all policies of a role."""
    iam, name = stack.client("iam"), name_of(stack, logical)
    return [
        (policy, number, one)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        if policy not in ("tests", "stand-in")  # theirs, which are no part of the stack
        for number, one in enumerate(
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"], 1
        )
    ]


START = ("start", "--wait", "--input", '{"force": false}')
# Role, what it may no longer do, the status of a run for which nothing is new, and what it is
# refused first: a log that stays empty, and an answer of S3's that names nothing.
LOST = [
    ("ReceiveTriggerRole", "logs:PutLogEvents", "SUCCEEDED", "logs:"),
    ("ReceiveTriggerRole", "s3:GetObject", "FAILED", "s3:GetObject"),
]


@pytest.mark.parametrize(("role", "action", "status", "refused"), LOST)
def test_who_follows_a_run_is_told_what_a_role_has_lost(
    stack: Stack, good: Execution, role: str, action: str, status: str, refused: str
) -> None:
    policy, number, _ = next(one for one in statements(stack, role) if action in one[2]["Action"])
    with without(stack, role, number):
        done = stack.rebuy(*START, check=False)
        look = account.Look("roles")
        account.as_deployed(stack.connection, Product.load(), look)
    assert (done.returncode, done.stdout.split()[-1]) == (1, status), done.stderr
    assert f"IAM refused {role}: {refused}" in done.stderr
    (lost,) = (line.strip() for line in done.stderr.splitlines() if "has lost" in line)
    assert lost.startswith(f"{role} has lost statement {number} of its policy {policy!r}: ")
    assert action in lost
    assert look.wrong == [lost]


def test_every_statement_of_every_role_is_missed_by_its_name(stack: Stack) -> None:
    asked = 0
    for role in roles(stack.connection).values():
        for policy, number, statement in statements(stack, role):
            with without(stack, role, number, policy):
                found = [*lost_by(stack.connection, role)]
            assert found == [LostStatement(role, policy, number, statement)]
            asked += 1
    assert asked > 150


def test_a_run_that_is_refused_nothing_says_nothing_of_it(stack: Stack, good: Execution) -> None:
    done = stack.rebuy(*START, "--json")
    ended = json.loads(done.stdout.splitlines()[-1])
    assert (ended["status"], ended["refused"]) == ("SUCCEEDED", [])
