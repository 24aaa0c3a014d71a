"""The statements of a stack's roles: taken away, asked for, and given back by name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.attack.product import Product
from benchmarks.attack.unneeded import UNNEEDED
from configuration.connection import Connection
from infrastructure import drift
from localaws.identity.least_privilege import request_of
from localaws.identity.policy.document import compile_policy
from localaws.identity.policy.evaluation import Policies, evaluate
from localaws.identity.uses import FILE, WRITE_SECONDS, Use, counts

Json = dict[str, Any]
Key = tuple[str, int]  # a policy's name, and the number of a statement in it
MOST_TIMES = 300
# None when a deed is done; else what whoever waits for it sees: a cause, a log, an answer.
Attempt = Callable[[], str | None]

# Whose lack fails nobody.
WRITES_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@dataclass
class Role:
    """A role of the stack with its policies, and what of their statements is taken away."""

    iam: Any
    name: str
    logical_name: str
    policies: dict[str, list[Json]]
    away: set[Key] = field(default_factory=set)

    @classmethod
    def of(cls, iam: Any, name: str, logical_name: str) -> Role:
        policies = {}
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            policies[policy] = found["Statement"]
        return cls(iam, name, logical_name, policies)

    @property
    def keys(self) -> list[Key]:
        return [(policy, n) for policy, all_ in self.policies.items() for n in range(len(all_))]

    def statement(self, key: Key) -> Json:
        return self.policies[key[0]][key[1]]

    def put(self, away: Collection[Key]) -> None:
        """Its policies without what is taken away."""
        changed = {policy for policy, _ in self.away ^ set(away)}
        self.away = set(away)
        for policy in changed:
            kept = [
                one
                for number, one in enumerate(self.policies[policy])
                if (policy, number) not in self.away
            ]
            named = {"RoleName": self.name, "PolicyName": policy}
            if kept:
                text = json.dumps({"Version": "2012-10-17", "Statement": kept})
                self.iam.put_role_policy(**named, PolicyDocument=text)
            else:
                self.iam.delete_role_policy(**named)

    def allowing(self, use: Use) -> Iterator[Key]:
        """The statements taken away that allow the request alone."""
        for key in sorted(self.away):
            alone = {"Version": "2012-10-17", "Statement": [self.statement(key)]}
            policies = Policies(identity=[compile_policy(key[0], json.dumps(alone))])
            if evaluate(request_of(use), policies).allowed:
                yield key

    def words(self, key: Key) -> str:
        """Role, and first action of a statement."""
        return f"{self.logical_name}: {self.first_action(key)}"

    def first_action(self, key: Key) -> str:
        actions = self.statement(key)["Action"]
        return str(actions if isinstance(actions, str) else actions[0])


@dataclass
class Grants:
    """`named`: statements that what was seen of a failure named; `told`: those that only the report
    of refusals did."""

    product: Product
    roles: dict[str, Role]  # by ARN
    named: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    _before: dict[Use, int] = field(default_factory=dict)

    @classmethod
    def of(cls, product: Product, connection: Connection, wanted: Callable[[str], bool]) -> Grants:
        """Of the roles with the wanted logical names."""
        iam = connection.client("iam")
        roles = [
            Role.of(iam, name, logical)
            for name, logical in drift.roles(connection).items()
            if wanted(logical)
        ]
        return cls(product, {iam.get_role(RoleName=one.name)["Role"]["Arn"]: one for one in roles})

    def take_all(self) -> int:
        for role in self.roles.values():
            role.put(role.keys)
        return sum(len(role.away) for role in self.roles.values())

    def uses(self) -> list[tuple[Use, int]]:
        time.sleep(WRITE_SECONDS + 0.5)  # the file is written a little later
        file = self.product.home / FILE
        return [*counts(file).items()] if file.exists() else []

    def refused(self) -> list[tuple[Use, Role, Key]]:
        """The refusals since the last look that giving one statement back would end, the oldest
        first."""
        found, now = [], self.uses()
        for use, count in now:
            role = self.roles.get(use.principal)
            if use.refusal is not None and role is not None and count > self._before.get(use, 0):
                found += [(use, role, key) for key in list(role.allowing(use))[:1]]
        self._before = dict(now)
        return found

    def pursue(self, deed: str, attempt: Attempt) -> Iterator[str]:
        """Attempts the deed until it is done: a line for each statement it was refused for."""
        self._before = dict(self.uses())
        for _ in range(MOST_TIMES):
            seen = attempt()
            if seen is None:
                return
            given = self.give_back(seen)
            if given is None:
                yield f"WRONG {deed} failed, and nothing was refused: {seen[:300]}"
                return
            yield f"{deed}: {given}"

    def give_back(self, seen: str) -> str | None:
        """Gives back what the failure is about; which statement, None where nothing was refused."""
        # A log that may not be written fails nobody: it counts where a log is looked for.
        of_log = "log group" in seen
        found = [e for e in self.refused() if of_log or e[0].action not in WRITES_LOGS]
        said = [each for each in found if each[0].action in seen]
        for use, role, key in said[-1:] or found[-1:]:
            role.put(role.away - {key})
            words = f"{role.words(key)} ({use.action})"
            (self.named if said else self.told).append(words)
            return words if said else f"{words} is not named by: {seen[:200]}"
        return None

    def give_logs(self, empty: Collection[str]) -> Iterator[str]:
        """Gives back what these log groups need, by the report of refusals."""
        self._before = {}
        for use, role, key in self.refused():
            group = use.resource.partition(":log-group:")[2].partition(":")[0]
            if use.action in WRITES_LOGS and group in empty and key in role.away:
                role.put(role.away - {key})
                self.told.append(role.words(key))
                yield f"{group} is empty: {role.words(key)} ({use.action})"

    def end(self) -> Iterator[str]:
        """What is still away, which has to be just what nothing here can need; then all of it is
        given back."""
        left = [
            (role.logical_name, role.first_action(key))
            for role in self.roles.values()
            for key in sorted(role.away)
        ]
        for named in left:
            reason = UNNEEDED.get(named)
            words = ": ".join(named)
            yield (
                f"nothing here needs {words} ({reason})" if reason else f"WRONG not needed: {words}"
            )
        mine = {role.logical_name for role in self.roles.values()}
        for named in sorted(UNNEEDED.keys() - {*left}):
            if named[0] in mine:
                yield f"WRONG needed, and said not to be: {': '.join(named)}"
        for role in self.roles.values():
            role.put(())
        yield (
            f"{len(self.named)} statements named by what was seen of a failure, {len(self.told)} by"
            f" `rebuy iam report` alone, {len(left)} that nothing here can need"
        )
