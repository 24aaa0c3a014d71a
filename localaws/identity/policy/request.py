"""What is asked of policies: who wants to do what, to which resource, under which circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | tuple[str, ...]  # a tuple: keys of several values, such as aws:CalledVia
Context = Mapping[str, Value]  # condition keys, in lower case


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `arn` is the account's root, a user, a role's session, a service's principal
    (`events.amazonaws.com`) or "" for nobody; `role_arn` is a session's role, with its path."""

    arn: str
    account: str
    role_arn: str | None = None

    @property
    def is_service(self) -> bool:
        return self.arn.endswith(".amazonaws.com")

    @property
    def is_root(self) -> bool:
        return self.arn == f"arn:aws:iam::{self.account}:root"


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource. `resource` is an ARN, or `*` for an action that takes none."""

    principal: Principal
    action: str
    resource: str
    context: Context
