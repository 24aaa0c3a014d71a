"""What users and roles have in common: inline and attached policies, tags, a boundary."""

from __future__ import annotations

from contextlib import AbstractContextManager

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.iam.policies import Policies
from localaws.iam.rules import (
    INLINE_CHARACTERS,
    check_inline,
    check_name,
    conflict,
    encoded,
    limit,
    merged_tags,
    no_such,
    page,
    without_tags,
)
from localaws.identity.store import ROLE_KIND, USER, IdentityStore
from localaws.shapes import Json

KINDS = {"User": USER, "Role": ROLE_KIND}
MOST_ATTACHED = 10


class Entities:
    """The operations that exist once for users and once for roles (`PutUserPolicy`,
    `PutRolePolicy`); `kind` is "User" or "Role"."""

    def __init__(self, kind: str, store: IdentityStore, policies: Policies) -> None:
        self.kind = kind
        self.documents_kind = KINDS[kind]
        self.name_member = f"{kind}Name"
        self.store = store
        self._policies = policies

    def register(self, service: Service) -> None:
        kind, name, take = self.kind, self.name_member, service.operation
        paged = ("Marker", "MaxItems")
        take(f"Put{kind}Policy", name, "PolicyName", "PolicyDocument")(self.put_policy)
        take(f"Get{kind}Policy", name, "PolicyName")(self.get_policy)
        take(f"List{kind}Policies", name, *paged)(self.list_policies)
        take(f"Delete{kind}Policy", name, "PolicyName")(self.delete_policy)
        take(f"Attach{kind}Policy", name, "PolicyArn")(self.attach)
        take(f"Detach{kind}Policy", name, "PolicyArn")(self.detach)
        take(f"ListAttached{kind}Policies", name, "PathPrefix", *paged)(self.list_attached)
        take(f"Tag{kind}", name, "Tags")(self.tag)
        take(f"Untag{kind}", name, "TagKeys")(self.untag)
        take(f"List{kind}Tags", name, *paged)(self.list_tags)
        take(f"Put{kind}PermissionsBoundary", name, "PermissionsBoundary")(self.put_boundary)
        take(f"Delete{kind}PermissionsBoundary", name)(self.delete_boundary)

    def find(self, name: str) -> Json:
        return self.store.get(self.documents_kind, name, self.not_found(name))

    def not_found(self, name: str) -> AwsError:
        return no_such(f"The {self.kind.lower()} with name {name} cannot be found.")

    def changing(self, call: Call) -> AbstractContextManager[Json]:
        """The entity that the call names, to be changed."""
        name = call.params[self.name_member]
        return self.store.documents.changing(self.documents_kind, name, self.not_found(name))

    def remove(self, name: str) -> None:
        """Deletes the entity. NoSuchEntity; DeleteConflict while it has policies."""
        with self.store.documents.transaction():
            entity = self.find(name)
            if entity["attached"]:
                raise conflict("Cannot delete entity, must detach all policies first.")
            if entity["inline"]:
                raise conflict("Cannot delete entity, must delete policies first.")
            self.store.documents.delete(self.documents_kind, name)

    def boundary(self, arn: str) -> Json:
        self._policies.find(arn)
        return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}

    # -- inline --------------------------------------------------------------------------------

    def put_policy(self, call: Call) -> None:
        name, text = call.params["PolicyName"], call.params["PolicyDocument"]
        check_name("policyName", name, 128)
        most = INLINE_CHARACTERS[self.kind.lower()]
        with self.changing(call) as entity:
            others = [old for key, old in entity["inline"].items() if key != name]
            if sum(len("".join(old.split())) for old in (*others, text)) > most:
                raise limit(
                    f"Maximum policy size of {most} bytes exceeded for"
                    f" {self.kind.lower()} {call.params[self.name_member]}"
                )
            check_inline(text, most)
            entity["inline"][name] = text

    def get_policy(self, call: Call) -> Json:
        entity, name = self.find(call.params[self.name_member]), call.params["PolicyName"]
        if name not in entity["inline"]:
            raise self._no_policy(name)
        return {
            self.name_member: call.params[self.name_member],
            "PolicyName": name,
            "PolicyDocument": encoded(entity["inline"][name]),
        }

    def list_policies(self, call: Call) -> Json:
        entity = self.find(call.params[self.name_member])
        return page("PolicyNames", sorted(entity["inline"]), call.params)

    def delete_policy(self, call: Call) -> None:
        with self.changing(call) as entity:
            if entity["inline"].pop(call.params["PolicyName"], None) is None:
                raise self._no_policy(call.params["PolicyName"])

    def _no_policy(self, name: str) -> AwsError:
        return no_such(f"The {self.kind.lower()} policy with name {name} cannot be found.")

    # -- attached ------------------------------------------------------------------------------

    def attach(self, call: Call) -> None:
        arn = call.params["PolicyArn"]
        self.find(call.params[self.name_member])
        try:
            self._policies.find(arn)
        except AwsError as error:
            if error.code != "NoSuchEntity":
                raise
            raise no_such(f"Policy {arn} does not exist or is not attachable.") from error
        with self.changing(call) as entity:
            if arn in entity["attached"]:
                return
            if len(entity["attached"]) >= MOST_ATTACHED:
                raise limit(f"Cannot exceed quota for PoliciesPer{self.kind}: {MOST_ATTACHED}")
            entity["attached"].append(arn)

    def detach(self, call: Call) -> None:
        arn = call.params["PolicyArn"]
        with self.changing(call) as entity:
            if arn not in entity["attached"]:
                raise no_such(f"Policy {arn} was not found.")
            entity["attached"].remove(arn)

    def list_attached(self, call: Call) -> Json:
        prefix = call.params.get("PathPrefix", "/")
        shown = []
        for arn in self.find(call.params[self.name_member])["attached"]:
            shape = self._policies.find(arn)["shape"]
            if shape["Path"].startswith(prefix):
                shown.append({"PolicyName": shape["PolicyName"], "PolicyArn": arn})
        return page("AttachedPolicies", shown, call.params)

    # -- tags and boundary ---------------------------------------------------------------------

    def tag(self, call: Call) -> None:
        with self.changing(call) as entity:
            entity["shape"]["Tags"] = merged_tags(entity["shape"]["Tags"], call.params["Tags"])

    def untag(self, call: Call) -> None:
        with self.changing(call) as entity:
            shape = entity["shape"]
            shape["Tags"] = without_tags(shape["Tags"], call.params["TagKeys"])

    def list_tags(self, call: Call) -> Json:
        return page("Tags", self.find(call.params[self.name_member])["shape"]["Tags"], call.params)

    def put_boundary(self, call: Call) -> None:
        boundary = self.boundary(call.params["PermissionsBoundary"])
        with self.changing(call) as entity:
            entity["shape"]["PermissionsBoundary"] = boundary

    def delete_boundary(self, call: Call) -> None:
        with self.changing(call) as entity:
            if entity["shape"].pop("PermissionsBoundary", None) is None:
                name = call.params[self.name_member]
                raise no_such(f"{self.kind} {name} does not have a permissions boundary.")
