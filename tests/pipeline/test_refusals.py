"""A role has lost a statement: whoever follows a run is told which, whatever becomes of the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from infrastructure.drift import roles
from rebuy.validation import account
from rebuy.validation.product import Product
from tests.pipeline.stack import Execution, Json, Stack


@contextmanager
def without(stack: Stack, logical: str, lost: Callable[[Json], bool]) -> Iterator[None]:
    """The role without these statements of its policy `work`, which has them again afterwards."""
    iam = stack.client("iam")
    (name,) = (name for name, found in roles(stack.connection).items() if found == logical)
    policy = {"RoleName": name, "PolicyName": "work"}
    whole = iam.get_role_policy(**policy)["PolicyDocument"]
    rest = [one for one in whole["Statement"] if not lost(one)]
    assert len(rest) < len(whole["Statement"])
    try:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps({**whole, "Statement": rest}))
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(whole))


def allows(action: str) -> Callable[[Json], bool]:
    return lambda statement: action in statement["Action"]


# Role, what it may no longer do, the status of a run for which nothing is new, and what it is
# refused first: a log that stays empty, and an answer of S3's that names nothing.
LOST = [
    ("ReceiveTriggerRole", "logs:PutLogEvents", "SUCCEEDED", "logs:CreateLogStream"),
    ("ReceiveTriggerRole", "s3:GetObject", "FAILED", "s3:GetObject"),
]


@pytest.mark.parametrize(("role", "action", "status", "refused"), LOST)
def test_who_follows_a_run_is_told_what_a_role_has_lost(
    stack: Stack, good: Execution, role: str, action: str, status: str, refused: str
) -> None:
    with without(stack, role, allows(action)):
        done = stack.rebuy("start", "--wait", check=False)
        look = account.Look("roles")
        account.as_deployed(stack.connection, Product.load(), look)
    assert (done.returncode, done.stdout.split()[-1]) == (1, status), done.stderr
    assert f"IAM refused {role}: {refused} on arn:aws:" in done.stderr
    assert f"{role} has lost statement " in done.stderr
    (lost,) = (line for line in done.stderr.splitlines() if "has lost" in line)
    assert "of its policy 'work'" in lost and action in lost
    assert look.wrong == [lost.strip()]


def test_a_run_that_is_refused_nothing_says_nothing_of_it(stack: Stack, good: Execution) -> None:
    done = stack.rebuy("start", "--wait", "--json")
    ended = json.loads(done.stdout.splitlines()[-1])
    assert (ended["status"], ended["refused"]) == ("SUCCEEDED", [])
