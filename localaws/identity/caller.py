"""Who makes a call: a user, a role's session, an AWS service as itself, or nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace

from localaws.shapes import Json


@dataclass(frozen=True)
class Caller:
    """The principal of one call.

    `arn` is what GetCallerIdentity answers: the account's root, a user, a role's session; of an
    AWS service that calls as itself it is the service's principal (`events.amazonaws.com`), and
    of an anonymous caller it is "". `via` is the service that calls on the principal's behalf
    (forward access, such as Athena's reads for who started the query) or that holds the session
    of its role; `assumed_by` is the service that assumed the role, whatever is done with it.
    `source_arn` is what a service acts for (a rule, a bucket, a job): `aws:SourceArn` in resource
    policies and in the role's trust policy. `session_policies` are what AssumeRole was given to
    narrow the session.
    """

    arn: str
    account: str
    session_name: str | None = None
    via: str | None = None
    source_arn: str | None = None
    assumed_by: str | None = None
    session_policies: tuple[str, ...] | None = None

    @classmethod
    def read(cls, kept: Json) -> Caller:
        """Of a document that `asdict` has made."""
        policies = kept.get("session_policies")
        return cls(**{**kept, "session_policies": None if policies is None else tuple(policies)})

    @property
    def is_anonymous(self) -> bool:
        return not self.arn

    @property
    def is_service(self) -> bool:
        return self.arn.endswith(".amazonaws.com")

    @property
    def role_name(self) -> str | None:
        """Of a role's session."""
        _, found, rest = self.arn.partition(":assumed-role/")
        return rest.partition("/")[0] if found else None

    @property
    def user_name(self) -> str | None:
        _, found, rest = self.arn.partition(":user/")
        return rest.rpartition("/")[2] if found else None

    @property
    def is_root(self) -> bool:
        return self.arn == f"arn:aws:iam::{self.account}:root"

    def on_behalf(self, service_principal: str) -> Caller:
        """The same principal, as a service that works for it calls others."""
        return replace(self, via=service_principal)


def root(account: str) -> Caller:
    return Caller(f"arn:aws:iam::{account}:root", account)


def anonymous(account: str) -> Caller:
    return Caller("", account)


def service(principal: str, account: str, source_arn: str | None = None) -> Caller:
    """An AWS service as itself: only resource policies can allow it anything."""
    return Caller(principal, account, via=principal, source_arn=source_arn)


def role_arn(account: str, role: str) -> str:
    """The ARN of a role that is given by its ARN, or by its name, with or without a path."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"


def role_session(
    role_arn: str,
    session_name: str,
    service_principal: str | None = None,
    source_arn: str | None = None,
    policies: tuple[str, ...] | None = None,
) -> Caller:
    """A session of a role. Its ARN has the role's name without its path, as AWS writes it."""
    account = role_arn.split(":")[4]
    name = role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}"
    return Caller(
        *(arn, account, session_name, service_principal, source_arn, service_principal, policies)
    )
