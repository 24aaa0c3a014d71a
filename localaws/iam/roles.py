"""Roles."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.iam.entities import Entities
from localaws.iam.rules import (
    already,
    check_name,
    check_trust,
    encoded,
    merged_tags,
    page,
    path_of,
)
from localaws.identity import credentials
from localaws.shapes import Json

SHORTEST_SECONDS, LONGEST_SECONDS = 3_600, 43_200


class Roles:
    """The operations that only roles have."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._store = entities.store

    def register(self, service: Service) -> None:
        take = service.operation
        take(
            *("CreateRole", "RoleName", "Path", "AssumeRolePolicyDocument", "Description"),
            *("MaxSessionDuration", "PermissionsBoundary", "Tags"),
        )(self.create)
        take("GetRole", "RoleName")(self.get)
        take("ListRoles", "PathPrefix", "Marker", "MaxItems")(self.list_all)
        take("UpdateRole", "RoleName", "Description", "MaxSessionDuration")(self.update)
        take("UpdateRoleDescription", "RoleName", "Description")(self.describe)
        take("UpdateAssumeRolePolicy", "RoleName", "PolicyDocument")(self.update_trust)
        take("DeleteRole", "RoleName")(self.delete)
        take("ListInstanceProfilesForRole", "RoleName", "Marker", "MaxItems")(self.profiles)

    def create(self, call: Call) -> Json:
        params, name, path = call.params, call.params["RoleName"], path_of(call.params)
        check_name("roleName", name, 64)
        check_trust(params["AssumeRolePolicyDocument"])
        check_duration(params)
        shape = {
            "Path": path,
            "RoleName": name,
            "RoleId": credentials.unique_id(credentials.ROLE),
            "Arn": f"arn:aws:iam::{self._store.account}:role{path}{name}",
            "CreateDate": self._store.now(),
            "AssumeRolePolicyDocument": params["AssumeRolePolicyDocument"],
            "MaxSessionDuration": params.get("MaxSessionDuration", SHORTEST_SECONDS),
            "Tags": merged_tags([], params.get("Tags", [])),
        }
        if "Description" in params:
            shape["Description"] = params["Description"]
        if "PermissionsBoundary" in params:
            shape["PermissionsBoundary"] = self._entities.boundary(params["PermissionsBoundary"])
        document = {"shape": shape, "inline": {}, "attached": []}
        if not self._store.documents.insert(self._entities.documents_kind, name, document):
            raise already(f"Role with name {name} already exists.")
        return {"Role": shown(shape)}

    def get(self, call: Call) -> Json:
        shape = self._entities.find(call.params["RoleName"])["shape"]
        return {"Role": {**shown(shape), "RoleLastUsed": {}}}

    def list_all(self, call: Call) -> Json:
        prefix = call.params.get("PathPrefix", "/")
        shapes = [
            shown(role["shape"])
            for _, role in self._store.documents.items(self._entities.documents_kind)
            if role["shape"]["Path"].startswith(prefix)
        ]
        for shape in shapes:  # a list has neither
            shape.pop("Tags", None)
            shape.pop("PermissionsBoundary", None)
        shapes.sort(key=lambda shape: str(shape["RoleName"]))
        return page("Roles", shapes, call.params)

    def update(self, call: Call) -> Json:
        check_duration(call.params)
        with self._entities.changing(call) as role:
            role["shape"]["MaxSessionDuration"] = call.params.get(
                "MaxSessionDuration", SHORTEST_SECONDS
            )
            role["shape"]["Description"] = call.params.get("Description", "")
        return {}

    def describe(self, call: Call) -> Json:
        with self._entities.changing(call) as role:
            role["shape"]["Description"] = call.params["Description"]
        return {"Role": shown(role["shape"])}

    def update_trust(self, call: Call) -> None:
        check_trust(call.params["PolicyDocument"])
        with self._entities.changing(call) as role:
            role["shape"]["AssumeRolePolicyDocument"] = call.params["PolicyDocument"]

    def delete(self, call: Call) -> None:
        self._entities.remove(call.params["RoleName"])

    def profiles(self, call: Call) -> Json:
        """There are no instances here, so no role is in a profile."""
        self._entities.find(call.params["RoleName"])
        return page("InstanceProfiles", [], call.params)


def shown(shape: Json) -> Json:
    """As the API sends it: the trust policy encoded, no empty list of tags."""
    sent = {**shape, "AssumeRolePolicyDocument": encoded(shape["AssumeRolePolicyDocument"])}
    return {key: value for key, value in sent.items() if key != "Tags" or value}


def check_duration(params: Json) -> None:
    seconds = params.get("MaxSessionDuration", SHORTEST_SECONDS)
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to"
            f" satisfy constraint: Member must have value between {SHORTEST_SECONDS} and"
            f" {LONGEST_SECONDS}",
        )
