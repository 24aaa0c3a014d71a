"""May this caller do this? The one question that every call passes, also those made inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum

from localaws.errors import AwsError
from localaws.identity import trust
from localaws.identity.actions import passing, table
from localaws.identity.actions.asked import Asked, Place
from localaws.identity.caller import Caller
from localaws.identity.context import context_of
from localaws.identity.in_force import InForce
from localaws.identity.policy.conditions import PolicyError
from localaws.identity.policy.document import compile_policy
from localaws.identity.policy.evaluation import (
    IDENTITY,
    TRUST,
    Decision,
    evaluate,
)
from localaws.identity.policy.request import Principal, Request
from localaws.identity.refusal import refused, words
from localaws.identity.uses import Use, Uses, kept_keys
from localaws.shapes import Json

# Operations on many things that answer for each by itself, and ask for it then.
ONE_BY_ONE = {("s3", "DeleteObjects")}
Observer = Callable[[Caller, str, str, Json], None]


class Mode(Enum):
    """What becomes of policies."""

    OFF = "off"  # they are kept; everybody may do everything
    OBSERVE = "observe"  # refusals are noted, and not made
    ENFORCE = "enforce"


class Authorizer:
    """Decides about calls.

    `observers` see each call before it is done: (caller, service, operation, params), with
    botocore's names of the three. Services that keep policies of their resources put a function
    into `resource_policies` (ARN to the policy's text), by botocore's name; those whose
    parameters do not name the resource complete them in `lookups`; what only they know to be asked
    besides (of the key that an object lies under) they add in `more`.
    """

    def __init__(self, in_force: InForce, place: Place, uses: Uses, mode: Mode = Mode.OFF) -> None:
        self.observers: list[Observer] = []
        self.resource_policies: dict[str, Callable[[str], str | None]] = {}
        self.lookups: dict[str, Callable[[str, Json], Json]] = {}
        self.more: dict[str, Callable[[str, Json], Iterable[Asked]]] = {}
        self.mode = mode
        self.uses = uses
        self._in_force = in_force
        self._place = place

    def __call__(self, caller: Caller, service: str, operation: str, params: Json) -> None:
        """Raises the service's AccessDenied when the caller may not; where a role is handed over
        that the service may not assume, the error that the service has for that."""
        for observer in self.observers:
            observer(caller, service, operation, params)
        if self.mode is Mode.OFF:
            return
        whole = (service, operation) not in ONE_BY_ONE
        if whole and (not caller.is_root or service in self.resource_policies):
            if service in self.lookups:
                params = self.lookups[service](operation, params)
            for asked in table.asked(service, operation, params, self._place):
                self.ask(caller, service, asked)
            for asked in self.more[service](operation, params) if service in self.more else ():
                self.ask(caller, service, asked)
        for passed in passing.roles(service, operation, params, self._place.account):
            self._hand_over(service, operation, params, passed)

    def ask(self, caller: Caller, service: str, asked: Asked) -> None:
        """One action on one resource: also for what AWS asks and nothing here does, such as the
        pull of an image."""
        if self.mode is Mode.OFF or (caller.is_root and service not in self.resource_policies):
            return
        request, decision = self._decide(caller, service, asked)
        error = None
        if not decision.allowed:
            error = refused(service, caller.arn, asked.action, asked.resource, decision)
            if decision.kind == TRUST:
                role = self._in_force.role_arn(caller) or ""
                error = trust.unassumable(service, role, caller.assumed_by or "")
        self._note(caller, request, error)
        if error is not None and self.mode is Mode.ENFORCE:
            raise error

    def allows(self, caller: Caller, service: str, asked: Asked) -> bool:
        """Whether it would be allowed; nothing is noted."""
        return self.mode is not Mode.ENFORCE or self._decide(caller, service, asked)[1].allowed

    def may_assume(self, caller: Caller, role_arn: str) -> Decision:
        """Whether the role's trust policy (and, where that asks for it, the caller's own) allows
        the caller to assume it. A role that is not there trusts nobody."""
        asked = Asked("sts:AssumeRole", role_arn)
        return trust.evaluate(self._request(caller, asked), self._in_force, role_arn, caller)

    def _decide(self, caller: Caller, service: str, asked: Asked) -> tuple[Request, Decision]:
        request = self._request(caller, asked)
        try:
            if caller.assumed_by is not None:
                assuming = replace(
                    caller, arn=caller.assumed_by, assumed_by=None, via=caller.assumed_by
                )
                if not self.may_assume(assuming, self._in_force.role_arn(caller) or "").allowed:
                    return request, Decision(False, TRUST)
            policies = self._in_force.policies(caller)
            owner = "kms" if asked.action.startswith("kms:") else service
            find = self.resource_policies.get(owner)
            text = find(asked.resource) if find is not None else None
            if text is not None:
                policies = replace(policies, resource=compile_policy(asked.resource, text))
            return request, evaluate(request, policies)
        except PolicyError:
            return request, Decision(False, IDENTITY)

    def _request(self, caller: Caller, asked: Asked) -> Request:
        in_force = self._in_force
        principal = Principal(caller.arn, caller.account, in_force.role_arn(caller))
        entity, user_id = in_force.entity(caller), in_force.user_id(caller)
        now = self._in_force.store.now()
        context = context_of(caller, asked, self._place, now, entity, user_id)
        return Request(principal, asked.action, asked.resource, context)

    def _hand_over(
        self, service: str, operation: str, params: Json, passed: passing.Passed
    ) -> None:
        """Most services look whether they may assume a role when it is handed to them."""
        source = trust.source_of(service, operation, params, self._place)
        principal = Caller(
            passed.principal, self._place.account, via=passed.principal, source_arn=source
        )
        if self.may_assume(principal, passed.role).allowed:
            return
        error = trust.refusal(service, operation, passed.role)
        if error is None:
            return
        text = words(
            service, passed.principal, "sts:AssumeRole", passed.role, Decision(False, TRUST)
        )
        self.uses.note(Use(passed.principal, "sts:AssumeRole", passed.role, (), text))
        if self.mode is Mode.ENFORCE:
            raise error

    def _note(self, caller: Caller, request: Request, error: AwsError | None) -> None:
        if caller.is_root:
            return
        who = request.principal.role_arn or caller.arn or "anonymous"
        keys = kept_keys(dict(request.context))
        told = error.message if error is not None else None
        self.uses.note(Use(who, request.action, request.resource, keys, told))
