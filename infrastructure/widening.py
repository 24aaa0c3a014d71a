"""What a change of the template lets anybody do that nobody could do before.

Compared are the allowances that the two templates write down: policies of roles, who may take them
on, and policies of buckets, queues, topics and functions. A statement that is written otherwise
and allows the same is told again: too much is told, never too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from infrastructure.resolved import text
from infrastructure.words import Json

# Properties that hold policy documents, by resource type.
RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
}


@dataclass(frozen=True)
class Allowance:
    """`who` may do `action` on `what`, if `condition` (a text; "" for none) is met. A denial is the
    same turned round: `denied`, and losing it widens."""

    who: str
    action: str
    what: str
    condition: str
    denied: bool = False
    owner: str = field(default="", compare=False)  # the resource that says so

    def covers(self, other: Allowance) -> bool:
        """Whether whatever the other allows was allowed by this one. A pattern covers what it
        matches; a condition only covers itself."""
        return (
            self.who == other.who
            and self.denied == other.denied
            and fnmatchcase(other.action.lower(), self.action.lower())
            and fnmatchcase(other.what, self.what)
            and self.condition in ("", other.condition)
        )

    def __str__(self) -> str:
        only = f" if {self.condition}" if self.condition else ""
        return f"{self.who} may {self.action} on {self.what}{only}"


def widenings(before: dict[str, Json], after: dict[str, Json]) -> list[str]:
    """A line for each allowance that is new, and for each denial that is gone; both are resolved
    resources by logical id (`infrastructure.resolved`)."""
    was, now = list(allowances(before)), list(allowances(after))
    new = [a for a in now if not a.denied and not any(one.covers(a) for one in was)]
    lost = [a for a in was if a.denied and not any(one.covers(a) for one in now)]
    # With the resource that was closed, nothing opens; without its policy, it does.
    gone = [a for a in lost if not a.owner or a.owner in after]
    told = [f"{a.who} is no longer kept from {a.action} on {a.what}" for a in gone]
    return sorted({*map(str, new), *told})


def allowances(resources: dict[str, Json]) -> Iterator[Allowance]:
    for name, one in resources.items():
        kind, properties = one["Type"], one.get("Properties", {})
        if kind == "AWS::IAM::Role":
            trust = properties.get("AssumeRolePolicyDocument", {})
            yield from _statements(trust, lambda s: f"{_principal(s)} (trust)", name)
            for policy in properties.get("Policies", []):
                yield from _statements(policy["PolicyDocument"], lambda _, who=name: who, "*")
            for managed in properties.get("ManagedPolicyArns", []):
                yield Allowance(name, "everything of", text(managed), "")
            if "PermissionsBoundary" in properties:
                yield Allowance(name, "what its boundary does not allow", name, "", True, name)
        elif kind in RESOURCE_POLICIES:
            of, document = RESOURCE_POLICIES[kind]
            where = text(properties.get(of, name))
            yield from _statements(properties[document], lambda s: _principal(s), where)
        elif kind == "AWS::Lambda::Permission":
            rest = {k: properties[k] for k in ("SourceArn", "SourceAccount") if k in properties}
            yield Allowance(
                text(properties["Principal"]),
                *(properties["Action"], text(properties["FunctionName"])),
                text(rest) if rest else "",
            )
        elif kind == "AWS::ApiGatewayV2::Route":
            closed = properties.get("AuthorizationType", "NONE")
            yield Allowance(
                "everybody" if closed == "NONE" else f"who passes {closed}",
                *("call", f"API {properties['RouteKey']}", ""),
            )
        elif kind == "AWS::S3::Bucket":
            block = properties.get("PublicAccessBlockConfiguration", {})
            for setting, value in block.items():
                if text(value).lower() == "true":
                    yield Allowance("everybody", f"what {setting} blocks", name, "", True, name)


def _statements(document: Json, who: Any, where: str) -> Iterator[Allowance]:
    for statement in document.get("Statement", []):
        given = statement.get("Condition")
        what = _list(statement.get("Resource", where))
        for action in _list(statement.get("Action", "everything but NotAction")):
            for resource in what:
                yield Allowance(
                    who(statement),
                    text(action),
                    text(resource),
                    text(given) if given else "",
                    denied=statement.get("Effect") == "Deny",
                )


def _principal(statement: Json) -> str:
    principal = statement.get("Principal", "everybody")
    if principal == "*" or principal == {"AWS": "*"}:
        return "everybody"
    if isinstance(principal, dict):
        return ", ".join(text(one) for values in principal.values() for one in _list(values))
    return text(principal)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
