"""The Principal element of resource and trust policies: whom a statement speaks of, and how.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from localaws.identity.policy.conditions import PolicyError, listed
from localaws.identity.policy.request import Principal

ACCOUNT = re.compile(r"\d{12}")


class Named(Enum):
    """How a statement names the one who asks; decides what else has to allow."""

    NOT = 0
    ACCOUNT = 1  # delegates: the identity's own policies must allow too
    ROLE = 2  # stands for the role's own allow; boundary and session policy must allow too
    ITSELF = 3  # the user, the session, the service, or everybody: nothing else is asked


@dataclass(frozen=True)
class Principals:
    """`negated`: NotPrincipal."""

    aws: frozenset[str]
    services: frozenset[str]
    everybody: bool
    negated: bool

    @classmethod
    def read(cls, given: Any, negated: bool) -> Principals:
        """Of the element as it is written. Raises PolicyError."""
        if given == "*":
            return cls(frozenset(), frozenset(), True, negated)
        if not isinstance(given, dict):
            raise PolicyError('A Principal is "*" or an object.')
        aws = {_arn(name) for name in listed(given.get("AWS", []))}
        services = frozenset(listed(given.get("Service", [])))
        return cls(frozenset(aws - {"*"}), services, "*" in aws, negated)

    def names(self, principal: Principal) -> Named:
        if self.negated:
            return Named.NOT if self._exempts(principal) else Named.ITSELF
        if self.everybody:
            return Named.ITSELF
        if principal.is_service:
            return Named.ITSELF if principal.arn in self.services else Named.NOT
        if principal.arn in self.aws:
            return Named.ITSELF
        if principal.role_arn is not None and principal.role_arn in self.aws:
            return Named.ROLE
        if principal.arn and _root(principal) in self.aws:
            return Named.ACCOUNT
        return Named.NOT

    def _exempts(self, principal: Principal) -> bool:
        """A NotPrincipal spares a session only if it lists session, role and account."""
        if self.everybody:
            return True
        if principal.is_service:
            return principal.arn in self.services
        chain = {principal.arn, principal.role_arn or principal.arn, _root(principal)}
        return bool(principal.arn) and chain <= self.aws


def _arn(name: str) -> str:
    return f"arn:aws:iam::{name}:root" if ACCOUNT.fullmatch(name) else name


def _root(principal: Principal) -> str:
    return f"arn:aws:iam::{principal.account}:root"
