"""The policies that are in force for a caller, compiled."""

from __future__ import annotations

from collections.abc import Iterable

from localaws.identity import managed
from localaws.identity.caller import Caller
from localaws.identity.policy.document import Policy, compile_policy
from localaws.identity.policy.evaluation import Policies
from localaws.identity.store import POLICY, ROLE_KIND, USER, IdentityStore
from localaws.shapes import Json


class InForce:
    """Reads users, roles and policies of the home's store; a change holds from the next call on.

    What was read and compiled is kept until one of them changes.
    """

    def __init__(self, store: IdentityStore) -> None:
        self.store = store
        self._of: tuple[int, ...] = ()  # changes that the two below have seen
        self._entities: dict[tuple[str, str], Json | None] = {}
        self._policies: dict[tuple[str, str], Policies] = {}

    def entity(self, caller: Caller) -> Json | None:
        """The caller's role or user as it is kept. It is shared: not to be changed."""
        if (name := caller.role_name) is not None:
            return self.role(name)
        if (name := caller.user_name) is not None:
            return self._kept(USER, name)
        return None

    def role(self, name: str) -> Json | None:
        return self._kept(ROLE_KIND, name)

    def role_arn(self, caller: Caller) -> str | None:
        """The ARN of the session's role, with its path; None for who is no session."""
        name = caller.role_name
        if name is None:
            return None
        entity = self.role(name)
        return (
            str(entity["shape"]["Arn"]) if entity else f"arn:aws:iam::{caller.account}:role/{name}"
        )

    def user_id(self, caller: Caller) -> str:
        """aws:userid, as IdentityStore.user_id has it."""
        entity = self.entity(caller)
        if entity is None:
            return self.store.user_id(caller)
        shape = entity["shape"]
        if "RoleId" in shape:
            return f"{shape['RoleId']}:{caller.session_name}"
        return str(shape["UserId"])

    def policies(self, caller: Caller) -> Policies:
        """Raises PolicyError for a document that cannot be read."""
        entity = self.entity(caller)
        session = caller.session_policies
        narrowed = None if session is None else [compile_policy("session", t) for t in session]
        if entity is None:
            return Policies(session=narrowed)
        key = (caller.arn.partition("/")[0], str(entity["shape"]["Arn"]))
        found = self._policies.get(key)
        if found is None:
            found = self._policies[key] = self._compiled(entity)
        if narrowed is None:
            return found
        return Policies(found.identity, boundary=found.boundary, session=narrowed)

    def _compiled(self, entity: Json) -> Policies:
        boundary = entity["shape"].get("PermissionsBoundary")
        bounds = None
        if boundary is not None:
            bounds = list(self._attached([boundary["PermissionsBoundaryArn"]]))
        inline = [compile_policy(name, text) for name, text in entity["inline"].items()]
        return Policies([*inline, *self._attached(entity["attached"])], boundary=bounds)

    def _attached(self, arns: Iterable[str]) -> Iterable[Policy]:
        """The default versions of managed policies, of ours and of AWS; one that is gone allows
        nothing."""
        for arn in arns:
            text = managed.document(self.store.documents, POLICY, arn)
            if text is not None:
                yield compile_policy(arn, text)

    def _kept(self, kind: str, name: str) -> Json | None:
        documents = self.store.documents
        now = tuple(documents.changes(kind) for kind in (ROLE_KIND, USER, POLICY))
        if now != self._of:
            self._entities, self._policies, self._of = {}, {}, now
        entities = self._entities  # as it was then: what another thread replaces is not filled
        if (kind, name) not in entities:
            entities[kind, name] = documents.get(kind, name)
        return entities[kind, name]
