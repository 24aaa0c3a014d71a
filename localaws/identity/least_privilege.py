"""What a role may do, held against what it did: allowed and never used, needed, refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from localaws.identity.policy.conditions import listed
from localaws.identity.policy.document import Policy, Statement, action_pattern
from localaws.identity.policy.evaluation import Policies, evaluate
from localaws.identity.policy.request import Principal, Request
from localaws.identity.uses import Use


@dataclass(frozen=True)
class Unused:
    """Actions of a statement that no call needed; all of them: the statement itself."""

    policy: str
    statement: str  # its Sid, or its number from 1
    actions: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class RoleUse:
    """One role. Counts are calls."""

    role: str
    used: Mapping[str, int]  # action to how often
    unused: Sequence[Unused]
    refused: Mapping[str, int]  # the words of a refusal to how often


def role_use(role_arn: str, policies: Sequence[Policy], uses: Mapping[Use, int]) -> RoleUse:
    """What the role did with its own policies, by what was recorded."""
    own = {use: count for use, count in uses.items() if use.principal == role_arn}
    used: dict[str, int] = {}
    refused: dict[str, int] = {}
    for use, count in own.items():
        if use.refusal is None:
            used[use.action] = used.get(use.action, 0) + count
        else:
            refused[use.refusal] = refused.get(use.refusal, 0) + count
    requests = [request_of(use) for use in own if use.refusal is None]
    found = [
        one
        for policy in policies
        for statement in policy.statements
        if statement.allows and (one := _unused(policy, statement, requests)) is not None
    ]
    return RoleUse(role_arn, dict(sorted(used.items())), found, refused)


def needless(policies: Sequence[Policy], uses: Iterable[Use]) -> list[tuple[Policy, Statement]]:
    """The statements without which every one of the calls would be allowed all the same."""
    requests = [request_of(use) for use in uses]
    return [
        (policy, statement)
        for policy in policies
        for statement in policy.statements
        if statement.allows and not refused_without(policies, policy, statement.number, requests)
    ]


def refused_without(
    policies: Sequence[Policy], policy: Policy, number: int, requests: Iterable[Request]
) -> list[Request]:
    """Those of the requests that are refused when the policy's statement is taken away."""
    rest = [one.without(number) if one is policy else one for one in policies]
    return [one for one in requests if not evaluate(one, Policies(identity=rest)).allowed]


def request_of(use: Use) -> Request:
    account = use.principal.split(":")[4] if use.principal.startswith("arn:") else ""
    session = f"arn:aws:sts::{account}:assumed-role/{use.principal.rpartition('/')[2]}/session"
    principal = Principal(session, account, use.principal)
    context = {**use.context(), "aws:principalarn": use.principal}
    return Request(principal, use.action, use.resource, context)


def _unused(policy: Policy, statement: Statement, requests: list[Request]) -> Unused | None:
    matched = {one.action.lower() for one in requests if statement.matches(one)}
    given = json.loads(statement.text).get("Action", [])
    actions = [str(action) for action in listed(given)]
    idle = tuple(
        action
        for action in actions
        if not any(_single(statement, action).covers_action(name) for name in matched)
    )
    if not idle and (matched or actions):
        return None
    name = statement.sid or str(statement.number + 1)
    return Unused(policy.name, name, idle, whole=not matched)


def _single(statement: Statement, action: str) -> Statement:
    """The statement as if it had this action only."""
    return replace(statement, actions=action_pattern([action]), not_actions=False)
