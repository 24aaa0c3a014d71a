"""Policies mean here what the IAM User Guide says; each case has its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localaws.identity.policy.conditions import PolicyError, compile_conditions
from localaws.identity.policy.document import Policy, compile_policy
from localaws.identity.policy.evaluation import Policies, evaluate, evaluate_trust
from localaws.identity.policy.request import Context, Principal, Request

CASES = json.loads((Path(__file__).parents[1] / "cases" / "iam_policies.json").read_text())
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/p/R"
PRINCIPALS = {
    "role": Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/R/s", ACCOUNT, ROLE),
    "user": Principal(f"arn:aws:iam::{ACCOUNT}:user/anna", ACCOUNT),
    "root": Principal(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
    "anonymous": Principal("", ACCOUNT),
}


def context(given: dict[str, Any]) -> Context:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def policy(name: str, statements: list[Any], version: str) -> Policy:
    return compile_policy(name, json.dumps({"Version": version, "Statement": statements}))


@pytest.mark.parametrize(
    "case", CASES["conditions"], ids=lambda case: json.dumps(case["condition"])
)
def test_a_condition_holds(case: dict[str, Any]) -> None:
    conditions = compile_conditions(case["condition"], variables=True)
    for row in case["rows"]:
        assert all(one.holds(context(row["context"])) for one in conditions) == row["holds"], row


@pytest.mark.parametrize("case", CASES["evaluation"], ids=lambda case: case["what"])
def test_a_request_is_decided(case: dict[str, Any]) -> None:
    who = PRINCIPALS.get(case["who"], Principal(case["who"], ACCOUNT))
    request = Request(who, case["action"], case["on"], context(case.get("context", {})))
    version = case.get("version", "2012-10-17")

    def given(kind: str) -> list[Policy] | None:
        return [policy(kind, case[kind], version)] if kind in case else None

    if "trust" in case:
        trust = policy("trust", case["trust"], version)
        decision = evaluate_trust(request, trust, given("identity") or ())
    else:
        resource = given("resource")
        decision = evaluate(
            request,
            Policies(
                identity=given("identity") or (),
                resource=resource[0] if resource else None,
                boundary=given("boundary"),
                session=given("session"),
                owner=case.get("owner"),
            ),
        )
    how = "allow" if decision.allowed else "explicit" if decision.explicit else "implicit"
    assert f"{how} {decision.kind}" == case["expected"]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ({"Effect": "allow", "Action": "*", "Resource": "*"}, "Allow or Deny"),
        ({"Effect": "Allow", "Resource": "*"}, "an Action or a NotAction"),
        ({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}, "not both"),
        ({"Effect": "Allow", "Action": "*", "Condition": {"Sort": {"a": "b"}}}, "operator Sort"),
        ({"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"a": "b"}}}, "'b'"),
        ({"Effect": "Allow", "Action": "*", "Condition": {"Each:Null": {"a": "b"}}}, "quantifier"),
    ],
)
def test_what_cannot_be_read_is_told(statement: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        policy("p", [statement], "2012-10-17")
