"""Every statement of every role is taken away: a run asks for one after the other by name.

A run begins with roles that may do nothing. It fails for what it is refused; the one statement
that allows it is given back, and the run is redriven from the state that failed, until it ends
well. What is still away then, the run did not need, and a line says whether it was asked for.
"""

from __future__ import annotations

import collections
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.attack.product import Outcome, Product
from localaws.identity.least_privilege import request_of
from localaws.identity.policy.document import compile_policy
from localaws.identity.policy.evaluation import Policies, evaluate
from localaws.identity.uses import FILE, WRITE_SECONDS, Use, read

Json = dict[str, Any]
MOST_REDRIVES = 300


@dataclass
class Role:
    """A role of the stack; `statements` are those of its one policy, `away` the taken ones."""

    iam: Any
    name: str
    policy: str
    document: Json
    away: set[int] = field(default_factory=set)

    @property
    def statements(self) -> list[Json]:
        return list(self.document["Statement"])

    @classmethod
    def of(cls, iam: Any, name: str) -> Role:
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        return cls(iam, name, policy, document)

    def put(self) -> None:
        """Its policy without what is taken away."""
        kept = [one for number, one in enumerate(self.statements) if number not in self.away]
        named = {"RoleName": self.name, "PolicyName": self.policy}
        if kept:
            text = json.dumps({**self.document, "Statement": kept})
            self.iam.put_role_policy(**named, PolicyDocument=text)
        else:
            self.iam.delete_role_policy(**named)

    def allowing(self, use: Use) -> Iterator[int]:
        """The statements taken away that allow the request alone."""
        for number in sorted(self.away):
            alone = json.dumps({**self.document, "Statement": [self.statements[number]]})
            policies = Policies(identity=[compile_policy(self.policy, alone)])
            if evaluate(request_of(use), policies).allowed:
                yield number

    def words(self, number: int) -> str:
        """Role and first action of a statement."""
        actions = self.statements[number]["Action"]
        return f"{self.name}: {actions if isinstance(actions, str) else actions[0]}"


@dataclass
class Grants:
    """`named`: statements that the cause of a failure named; `told`: those that only the report
    of refusals did."""

    product: Product
    roles: dict[str, Role]
    named: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, product: Product) -> Grants:
        iam = product.connection.client("iam")
        pages = product.connection.client("cloudformation").get_paginator("list_stack_resources")
        names = [
            one["PhysicalResourceId"]
            for page in pages.paginate(StackName=product.connection.settings.stack_name)
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == "AWS::IAM::Role"
        ]
        roles = [Role.of(iam, name) for name in names]
        return cls(product, {iam.get_role(RoleName=one.name)["Role"]["Arn"]: one for one in roles})

    def take_all(self) -> int:
        for role in self.roles.values():
            role.away = set(range(len(role.statements)))
            role.put()
        return sum(len(role.away) for role in self.roles.values())

    def give_all(self) -> None:
        for role in self.roles.values():
            role.away = set()
            role.put()

    def refused(self) -> list[tuple[Use, Role, int]]:
        """The refusals that giving one statement back would end, the oldest first."""
        time.sleep(2 * WRITE_SECONDS)  # the file is written a little later
        found = []
        for use, _ in read(self.product.home / FILE):
            role = self.roles.get(use.principal)
            if use.refusal is not None and role is not None:
                found += [(use, role, number) for number in list(role.allowing(use))[:1]]
        return found

    def give_back(self, outcome: Outcome) -> str | None:
        """Gives back what the failure is about; which statement, None where nothing was refused."""
        # A log that may not be written fails nobody.
        found = [each for each in self.refused() if not each[0].action.startswith("logs:")]
        said = [each for each in found if each[0].action in outcome.reason]
        for use, role, number in said[-1:] or found[-1:]:
            role.away.discard(number)
            role.put()
            words = f"{role.words(number)} ({use.action})"
            (self.named if said else self.told).append(words)
            return words
        return None

    def left(self) -> Iterator[tuple[str, collections.Counter[str]]]:
        """The statements still away, and what of them was asked for and refused."""
        asked: dict[tuple[str, int], collections.Counter[str]] = collections.defaultdict(
            collections.Counter
        )
        for use, role, number in self.refused():
            asked[role.name, number][use.action] += 1
        for role in self.roles.values():
            for number in sorted(role.away):
                yield role.words(number), asked[role.name, number]


def attack(product: Product) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    product.set_up()
    good = product.finish(product.start("undisturbed"))
    yield f"undisturbed: {good.status} in {good.seconds:.0f} s, model {good.model[:16]}"
    grants = Grants.of(product)
    yield f"{grants.take_all()} statements of {len(grants.roles)} roles are taken away"
    arn = product.start(f"grants-{int(time.time())}")
    for _ in range(MOST_REDRIVES):
        outcome = product.finish(arn)
        if outcome.status == "SUCCEEDED":
            break
        given = grants.give_back(outcome)
        if given is None:
            yield f"WRONG failed, and nothing was refused: {outcome.reason[:300]}"
            break
        said = "" if given in grants.named else f" is not named by: {outcome.reason[:200]}"
        yield f"{given}{said}"
        product.connection.client("stepfunctions").redrive_execution(executionArn=arn)
    if (outcome.status, outcome.model, outcome.problems) != ("SUCCEEDED", good.model, []):
        yield f"WRONG {outcome}"
    left = list(grants.left())
    for words, asked in left:
        refused = ", ".join(f"{action} {count}" for action, count in asked.items())
        yield f"the run went without {words}" + (f", refused: {refused}" if refused else "")
    grants.give_all()
    after = product.finish(product.start("aftermath"))
    if (after.status, after.model) != ("SUCCEEDED", good.model):
        yield f"WRONG the run after it: {after}"
    yield (
        f"{len(grants.named)} statements named by the failure of the run, {len(grants.told)} by"
        f" `rebuy iam report` alone, {len(left)} not needed by it"
    )
