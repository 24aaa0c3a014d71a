"""What an operation asks of policies: actions, each on one resource, with keys for conditions."""

from __future__ import annotations

from dataclasses import dataclass, field

from localaws.identity.policy.request import Value


@dataclass(frozen=True)
class Place:
    """Where the operation is done: what ARNs are made of."""

    region: str
    account: str

    def arn(self, service: str, tail: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{tail}"


@dataclass(frozen=True)
class Asked:
    """One action on one resource; all that an operation asks must be allowed.

    `keys` are condition keys in lower case.
    """

    action: str
    resource: str = "*"
    keys: dict[str, Value] = field(default_factory=dict)
