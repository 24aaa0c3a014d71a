"""Whether a request is allowed: an explicit deny first, then who allows it, then what bounds it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from localaws.identity.policy.document import Policy, Statement
from localaws.identity.policy.principals import Named
from localaws.identity.policy.request import Request

# Kinds of policies, as refusals name them.
IDENTITY, RESOURCE = "identity-based", "resource-based"
BOUNDARY, SESSION, TRUST = "permissions boundary", "session", "role trust"


@dataclass(frozen=True)
class Policies:
    """What is in force for one principal and one resource.

    `boundary` and `session` are None where there is none (an empty one allows nothing).
    `owner` is the resource's account: of another one, both sides must allow.
    """

    identity: Sequence[Policy] = ()
    resource: Policy | None = None
    boundary: Sequence[Policy] | None = None
    session: Sequence[Policy] | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Decision:
    """`kind` is the kind of policy that decided; `statements` those of it that matched."""

    allowed: bool
    kind: str
    explicit: bool = False
    statements: Sequence[tuple[Policy, Statement]] = field(default=())


def evaluate(request: Request, policies: Policies) -> Decision:
    """The decision of one account's policies, as the guide's flow chart has it."""
    if denied := _denied(request, policies):
        return denied
    principal = request.principal
    foreign = policies.owner is not None and policies.owner != principal.account
    if principal.is_root and not foreign:
        return Decision(True, IDENTITY)
    named, by_resource = _named(request, policies.resource)
    if named is Named.ITSELF and not (foreign and principal.arn and not principal.is_service):
        return Decision(True, RESOURCE, statements=by_resource)
    if principal.is_service or not principal.arn:
        return Decision(False, RESOURCE)
    by_identity = _allowing(request, policies.identity)
    if foreign and named is Named.NOT:
        return Decision(False, RESOURCE)
    if principal.is_root:
        return Decision(True, RESOURCE, statements=by_resource)
    if not by_identity and (foreign or named is not Named.ROLE):
        return Decision(False, IDENTITY)
    for kind, bound in ((BOUNDARY, policies.boundary), (SESSION, policies.session)):
        if bound is not None and not _allowing(request, bound):
            return Decision(False, kind)
    if by_identity:
        return Decision(True, IDENTITY, statements=by_identity)
    return Decision(True, RESOURCE, statements=by_resource)


def evaluate_trust(request: Request, trust: Policy, identity: Sequence[Policy]) -> Decision:
    """Whether the role may be assumed. Its trust policy has to say so; where that names the
    account alone, the caller's own policies must allow it too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    for policy, statement, named in _spoken(request, trust):
        if not statement.allows and named is not Named.NOT:
            return Decision(False, TRUST, True, ((policy, statement),))
    if denied := _denied(request, Policies(identity=identity)):
        return denied
    named, statements = _named(request, trust)
    if named is Named.NOT:
        return Decision(False, TRUST)
    if named is Named.ACCOUNT and not request.principal.is_root:
        by_identity = _allowing(request, identity)
        return Decision(bool(by_identity), IDENTITY, statements=by_identity)
    return Decision(True, TRUST, statements=statements)


def _denied(request: Request, policies: Policies) -> Decision | None:
    """Of several kinds that deny, one is named."""
    # GUESSED: which policy is named where several kinds deny: identity, boundary, session,
    #     then the resource's.
    for kind, group in (
        (IDENTITY, policies.identity),
        (BOUNDARY, policies.boundary or ()),
        (SESSION, policies.session or ()),
    ):
        for policy in group:
            for statement in policy.statements:
                if not statement.allows and statement.matches(request):
                    return Decision(False, kind, True, ((policy, statement),))
    if policies.resource is not None:
        for policy, statement, named in _spoken(request, policies.resource):
            if not statement.allows and named is not Named.NOT:
                return Decision(False, RESOURCE, True, ((policy, statement),))
    return None


def _allowing(request: Request, policies: Iterable[Policy]) -> list[tuple[Policy, Statement]]:
    return [
        (policy, statement)
        for policy in policies
        for statement in policy.statements
        if statement.allows and statement.matches(request)
    ]


def _named(request: Request, policy: Policy | None) -> tuple[Named, list[tuple[Policy, Statement]]]:
    """The strongest way in which an allowing statement names the principal, and those who do."""
    strongest, statements = Named.NOT, []
    if policy is not None:
        for one, statement, named in _spoken(request, policy):
            if not statement.allows or named is Named.NOT:
                continue
            statements.append((one, statement))
            if named.value > strongest.value:
                strongest = named
    return strongest, statements


def _spoken(request: Request, policy: Policy) -> Iterable[tuple[Policy, Statement, Named]]:
    for statement in policy.statements:
        if statement.principals is not None and statement.matches(request):
            yield policy, statement, statement.principals.names(request.principal)
