"""Users and their access keys."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.iam.entities import Entities
from localaws.iam.rules import (
    already,
    check_name,
    conflict,
    limit,
    merged_tags,
    no_such,
    page,
    path_of,
)
from localaws.identity import credentials
from localaws.identity.store import ACCESS_KEY
from localaws.shapes import Json

MOST_KEYS = 2


class Users:
    """The operations that only users have."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._store = entities.store

    def register(self, service: Service) -> None:
        take = service.operation
        take("CreateUser", "UserName", "Path", "PermissionsBoundary", "Tags")(self.create)
        take("GetUser", "UserName")(self.get)
        take("ListUsers", "PathPrefix", "Marker", "MaxItems")(self.list_all)
        take("DeleteUser", "UserName")(self.delete)
        take("ListGroupsForUser", "UserName", "Marker", "MaxItems")(self.groups)
        take("CreateAccessKey", "UserName")(self.create_key)
        take("ListAccessKeys", "UserName", "Marker", "MaxItems")(self.list_keys)
        take("UpdateAccessKey", "UserName", "AccessKeyId", "Status")(self.update_key)
        take("DeleteAccessKey", "UserName", "AccessKeyId")(self.delete_key)

    def create(self, call: Call) -> Json:
        params, name, path = call.params, call.params["UserName"], path_of(call.params)
        check_name("userName", name, 64)
        shape = {
            "Path": path,
            "UserName": name,
            "UserId": credentials.unique_id(credentials.USER),
            "Arn": f"arn:aws:iam::{self._store.account}:user{path}{name}",
            "CreateDate": self._store.now(),
            "Tags": merged_tags([], params.get("Tags", [])),
        }
        if "PermissionsBoundary" in params:
            shape["PermissionsBoundary"] = self._entities.boundary(params["PermissionsBoundary"])
        document = {"shape": shape, "inline": {}, "attached": []}
        if not self._store.documents.insert(self._entities.documents_kind, name, document):
            raise already(f"User with name {name} already exists.")
        return {"User": shown(shape)}

    def get(self, call: Call) -> Json:
        name = self._named(call)
        if name is None:  # the account's root, as AWS shows it
            arn, account = call.caller.arn, call.account
            return {
                "User": {"Path": "/", "UserName": "root", "UserId": account, "Arn": arn}
                | {"CreateDate": self._store.now()}
            }
        return {"User": shown(self._entities.find(name)["shape"])}

    def list_all(self, call: Call) -> Json:
        prefix = call.params.get("PathPrefix", "/")
        shapes = [
            {key: value for key, value in user["shape"].items() if key != "Tags"}
            for _, user in self._store.documents.items(self._entities.documents_kind)
            if user["shape"]["Path"].startswith(prefix)
        ]
        shapes.sort(key=lambda shape: str(shape["UserName"]))
        return page("Users", shapes, call.params)

    def delete(self, call: Call) -> None:
        name = call.params["UserName"]
        with self._store.documents.transaction():
            self._entities.find(name)
            if self._keys(name):
                raise conflict("Cannot delete entity, must delete access keys first.")
            self._entities.remove(name)

    def groups(self, call: Call) -> Json:
        """There are no groups here, so no user is in one."""
        self._entities.find(call.params["UserName"])
        return page("Groups", [], call.params)

    # -- access keys ---------------------------------------------------------------------------

    def create_key(self, call: Call) -> Json:
        """The only answer that ever shows the secret."""
        name = self._key_owner(call)
        with self._store.documents.transaction():
            self._entities.find(name)
            if len(self._keys(name)) >= MOST_KEYS:
                raise limit(f"Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}")
            identifier = credentials.unique_id(credentials.LONG_TERM)
            secret = credentials.new_secret()
            now = self._store.now()
            self._store.documents.put(
                ACCESS_KEY,
                identifier,
                {"user": name, "secret": secret, "status": "Active", "created": now},
            )
        return {
            "AccessKey": {
                "UserName": name,
                "AccessKeyId": identifier,
                "Status": "Active",
                "SecretAccessKey": secret,
                "CreateDate": now,
            }
        }

    def list_keys(self, call: Call) -> Json:
        name = self._key_owner(call)
        self._entities.find(name)
        shapes = [
            {
                "UserName": name,
                "AccessKeyId": identifier,
                "Status": key["status"],
                "CreateDate": key["created"],
            }
            for identifier, key in self._keys(name)
        ]
        return page("AccessKeyMetadata", shapes, call.params)

    def update_key(self, call: Call) -> None:
        identifier = self._key(call)
        missing = no_key(identifier)
        with self._store.documents.changing(ACCESS_KEY, identifier, missing) as key:
            key["status"] = call.params["Status"]

    def delete_key(self, call: Call) -> None:
        self._store.documents.delete(ACCESS_KEY, self._key(call))

    def _keys(self, name: str) -> list[tuple[str, Json]]:
        return [
            (identifier, key)
            for identifier, key in self._store.documents.items(ACCESS_KEY)
            if key["user"] == name
        ]

    def _key(self, call: Call) -> str:
        """The id of the key that the call names. NoSuchEntity where the user has none such."""
        identifier: str = call.params["AccessKeyId"]
        name = self._key_owner(call)
        self._entities.find(name)
        if identifier not in dict(self._keys(name)):
            raise no_key(identifier)
        return identifier

    def _key_owner(self, call: Call) -> str:
        name = self._named(call)
        if name is None:
            raise AwsError(
                "ValidationError",
                "Must specify userName when calling with non-User credentials",
            )
        return name

    def _named(self, call: Call) -> str | None:
        """The user of the call: named, or who calls; None for the root or a role without one."""
        if "UserName" in call.params:
            return str(call.params["UserName"])
        if ":user/" in call.caller.arn:
            return call.caller.arn.rpartition("/")[2]
        if call.caller.arn.endswith(":root"):
            return None
        raise AwsError(
            "ValidationError", "Must specify userName when calling with non-User credentials"
        )


def no_key(identifier: str) -> AwsError:
    return no_such(f"The Access Key with id {identifier} cannot be found.")


def shown(shape: Json) -> Json:
    return {key: value for key, value in shape.items() if key != "Tags" or value}
