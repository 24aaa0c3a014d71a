"""Connections to databases, as records: jobs find address and credentials in them.

https://docs.aws.amazon.com/glue/latest/dg/connection-defining.html. A password is kept as it is, in
the home; no network lies between this machine and the database, so what says where a connection
lives (subnet, security groups) is kept and changes nothing. What would change how it is spoken to
(TLS that is enforced, certificates, other kinds of stores) is refused by name.
"""

from __future__ import annotations

from localaws.catalog import databases, tags
from localaws.catalog.calls import check, each
from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

KIND = "glue-connection"
TYPES = ("JDBC", "NETWORK")
PROPERTIES = (
    "HOST", "PORT", "JDBC_ENGINE", "JDBC_ENGINE_VERSION", "JDBC_CONNECTION_URL", "USERNAME",
    "PASSWORD", "SECRET_ID", "JDBC_ENFORCE_SSL", "SKIP_CUSTOM_JDBC_CERT_VALIDATION",
    "JDBC_DRIVER_JAR_URI", "JDBC_DRIVER_CLASS_NAME", "INSTANCE_ID",
)  # fmt: skip
_FALSE_ONLY = ("JDBC_ENFORCE_SSL", "SKIP_CUSTOM_JDBC_CERT_VALIDATION")
_INPUT = tuple(
    f"ConnectionInput.{name}"
    for name in (
        *("Name", "Description", "ConnectionType", "MatchCriteria", "ConnectionProperties"),
        *("PhysicalConnectionRequirements", "ValidateCredentials"),
    )
)


class Connections:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        take = service.operation
        take("CreateConnection", "CatalogId", "Tags", *_INPUT)(self.create)
        take("GetConnection", "CatalogId", "Name", "HidePassword")(self.describe)
        take(
            *("GetConnections", "CatalogId", "HidePassword", "NextToken", "MaxResults"),
            *("Filter.MatchCriteria", "Filter.ConnectionType"),
        )(self.describe_all)
        take("UpdateConnection", "CatalogId", "Name", *_INPUT)(self.update)
        take("TestConnection", "ConnectionName", "CatalogId")(self.test)
        take("DeleteConnection", "CatalogId", "ConnectionName")(self.delete)
        take("BatchDeleteConnection", "CatalogId", "ConnectionNameList")(self.delete_many)

    def create(self, call: Call) -> Json:
        given = check(call)["ConnectionInput"]
        name, now = given["Name"], self._aws.clock.now()
        made = self._document(call, given) | {"CreationTime": now, "LastUpdatedTime": now}
        with self._aws.documents.transaction():
            if not self._aws.documents.insert(KIND, name, made):
                raise AwsError("AlreadyExistsException", f"Connection {name} already exists.")
            place = tags.arn(self._aws, "connection", name)
            tags.write(self._aws, place, call.params.get("Tags") or {})
        return {"CreateConnectionStatus": "READY"}

    def update(self, call: Call) -> Json:
        """Replaces the whole of it."""
        params = check(call)
        name, given = params["Name"], params["ConnectionInput"]
        made = self._document(call, {**given, "Name": name})
        with self._aws.documents.changing(KIND, name, _missing(name)) as connection:
            created = connection["CreationTime"]
            connection.clear()
            connection |= made
            connection |= {"CreationTime": created, "LastUpdatedTime": self._aws.clock.now()}
        return {}

    def describe(self, call: Call) -> Json:
        params = check(call)
        found = self._aws.documents.get(KIND, params["Name"])
        if found is None:
            raise _missing(params["Name"])
        return {"Connection": _shown(found, params)}

    def describe_all(self, call: Call) -> Json:
        params = check(call)
        wanted = params.get("Filter") or {}
        kind, criteria = wanted.get("ConnectionType"), set(wanted.get("MatchCriteria") or [])
        matching = (
            (name, _shown(one, params))
            for name, one in self._aws.documents.items(KIND)
            if one["ConnectionType"] == (kind or one["ConnectionType"])
            and criteria <= set(one.get("MatchCriteria") or [])
        )
        found, more = page(matching, params)
        return {"ConnectionList": found, **more}

    def test(self, call: Call) -> Json:
        """Speaks to the database, as the caller: who may not see a secret is told so."""
        params = check(call)
        name = params["ConnectionName"]
        found = self._aws.documents.get(KIND, name)
        if found is None:
            raise _missing(name)
        if found["ConnectionType"] != "JDBC":
            kind = f"ConnectionName={name}, which is of type {found['ConnectionType']}"
            raise NotEmulated("glue", call.operation, kind, "It has JDBC.")
        try:
            databases.opened(self._aws.acting(call.caller), name).close()
        except databases.ConnectionFailed as error:
            raise _invalid(str(error)) from error
        return {}

    def delete(self, call: Call) -> Json:
        self._delete(check(call)["ConnectionName"])
        return {}

    def delete_many(self, call: Call) -> Json:
        names = check(call)["ConnectionNameList"]
        errors = each(names, self._delete, lambda name: {"Name": name})
        failed = {error["Name"]: error["ErrorDetail"] for error in errors}
        return {"Succeeded": [name for name in names if name not in failed], "Errors": failed}

    def _delete(self, name: str) -> None:
        if not self._aws.documents.delete(KIND, name):
            raise _missing(name)

    def _document(self, call: Call, given: Json) -> Json:
        _check(call.operation, given)
        members = {name: value for name, value in given.items() if name != "ValidateCredentials"}
        return members | {"LastUpdatedBy": call.caller.arn, "Status": "READY"}


def _check(operation: str, given: Json) -> None:
    """Raises NotEmulated for what would be spoken to otherwise, InvalidInputException for a
    connection that names too little."""
    kind, properties = given["ConnectionType"], given.get("ConnectionProperties") or {}
    if kind not in TYPES:
        raise NotEmulated(
            *("glue", operation, f"ConnectionInput.ConnectionType={kind}"),
            f"It has {' and '.join(TYPES)}.",
        )
    for name, value in properties.items():
        if name not in PROPERTIES or (name in _FALSE_ONLY and value.lower() != "false"):
            raise NotEmulated(
                "glue", operation, f"ConnectionInput.ConnectionProperties.{name}={value}"
            )
    if kind != "JDBC":
        return
    url = properties.get("JDBC_CONNECTION_URL")
    if url is None and not {"HOST", "PORT", "JDBC_ENGINE"} <= properties.keys():
        raise _invalid("A JDBC connection has JDBC_CONNECTION_URL, or HOST, PORT and JDBC_ENGINE.")
    if url is not None and not url.startswith("jdbc:"):
        raise _invalid(f"JDBC_CONNECTION_URL is {url!r}; it is like jdbc:postgresql://host:5432/db")
    if "SECRET_ID" not in properties and not {"USERNAME", "PASSWORD"} <= properties.keys():
        raise _invalid("A JDBC connection has USERNAME and PASSWORD, or SECRET_ID.")


def _shown(connection: Json, params: Json) -> Json:
    """As GetConnection returns it, without the password where the call says so."""
    if not params.get("HidePassword"):
        return connection
    kept = connection.get("ConnectionProperties") or {}
    properties = {name: value for name, value in kept.items() if name != "PASSWORD"}
    return {**connection, "ConnectionProperties": properties}


def _missing(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Connection {name} not found.")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)
