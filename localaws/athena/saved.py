"""Queries that are kept for later: named ones, and statements prepared in a work group."""

from __future__ import annotations

from localaws.athena.executions import PREPARED, prepared_key
from localaws.athena.lists import found_and_missing, page
from localaws.athena.workgroups import WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

NAMED = "athena-named-queries"
NAMED_TOKENS = "athena-named-tokens"  # ClientRequestToken -> the id that it made


class NamedQueries:
    def __init__(self, aws: LocalAws, groups: WorkGroups) -> None:
        self._documents = aws.documents
        self._groups = groups

    def register(self, service: Service) -> None:
        said = ("Name", "Description", "QueryString")
        service.operation("CreateNamedQuery", *said, "Database", "ClientRequestToken", "WorkGroup")(
            self.create
        )
        service.operation("GetNamedQuery", "NamedQueryId")(self.get)
        service.operation("BatchGetNamedQuery", "NamedQueryIds")(self.get_many)
        service.operation("UpdateNamedQuery", "NamedQueryId", *said)(self.update)
        service.operation("ListNamedQueries", "NextToken", "MaxResults", "WorkGroup")(self.list)
        service.operation("DeleteNamedQuery", "NamedQueryId")(self.delete)

    def create(self, call: Call) -> Json:
        given = {k: v for k, v in call.params.items() if k != "ClientRequestToken"}
        self._groups.get(given.setdefault("WorkGroup", "primary"))
        token, query_id = call.params.get("ClientRequestToken"), call.request_id
        with self._documents.transaction():
            if token and not self._documents.insert(NAMED_TOKENS, token, {"id": query_id}):
                known = self._documents.get(NAMED_TOKENS, token) or {}
                return {"NamedQueryId": known["id"]}
            self._documents.put(NAMED, query_id, {**given, "NamedQueryId": query_id})
        return {"NamedQueryId": query_id}

    def get(self, call: Call) -> Json:
        return {"NamedQuery": self._query(call.params["NamedQueryId"])}

    def _query(self, query_id: str) -> Json:
        document = self._documents.get(NAMED, query_id)
        if document is None:
            raise _no_query(query_id)
        return document

    def get_many(self, call: Call) -> Json:
        ids = call.params["NamedQueryIds"]
        found, missing = found_and_missing(ids, self._query, "NamedQueryId")
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def update(self, call: Call) -> Json:
        query_id = call.params["NamedQueryId"]
        with self._documents.changing(NAMED, query_id, _no_query(query_id)) as document:
            document |= call.params
        return {}

    def list(self, call: Call) -> Json:
        group = call.params.get("WorkGroup") or "primary"
        ids = [
            (key, key)
            for key, document in self._documents.items(NAMED)
            if document["WorkGroup"] == group
        ]
        shown, more = page(ids, call.params)
        return {"NamedQueryIds": shown, **more}

    def delete(self, call: Call) -> Json:
        if not self._documents.delete(NAMED, call.params["NamedQueryId"]):
            raise _no_query(call.params["NamedQueryId"])
        return {}


def _no_query(query_id: str) -> AwsError:
    return AwsError("InvalidRequestException", f"NamedQuery {query_id} was not found")


class PreparedStatements:
    def __init__(self, aws: LocalAws, groups: WorkGroups) -> None:
        self._aws = aws
        self._documents = aws.documents
        self._groups = groups

    def register(self, service: Service) -> None:
        place = ("StatementName", "WorkGroup")
        said = (*place, "QueryStatement", "Description")
        service.operation("CreatePreparedStatement", *said)(self.create)
        service.operation("UpdatePreparedStatement", *said)(self.update)
        service.operation("GetPreparedStatement", *place)(self.get)
        service.operation("DeletePreparedStatement", *place)(self.delete)
        service.operation("ListPreparedStatements", "WorkGroup", "NextToken", "MaxResults")(
            self.list
        )

    def create(self, call: Call) -> Json:
        self._groups.get(call.params["WorkGroup"])
        if not self._documents.insert(PREPARED, _key(call), self._document(call)):
            raise AwsError(
                "InvalidRequestException",
                f"Prepared statement {call.params['StatementName']} already exists",
            )
        return {}

    def update(self, call: Call) -> Json:
        with self._documents.transaction():
            self._find(call)
            self._documents.put(PREPARED, _key(call), self._document(call))
        return {}

    def get(self, call: Call) -> Json:
        return {"PreparedStatement": self._find(call)}

    def delete(self, call: Call) -> Json:
        if not self._documents.delete(PREPARED, _key(call)):
            raise _no_statement(call)
        return {}

    def list(self, call: Call) -> Json:
        names = [
            (key, {name: document[name] for name in ("StatementName", "LastModifiedTime")})
            for key, document in self._documents.items(PREPARED)
            if document["WorkGroupName"] == call.params["WorkGroup"]
        ]
        shown, more = page(names, call.params)
        return {"PreparedStatements": shown, **more}

    def _document(self, call: Call) -> Json:
        said = {key: value for key, value in call.params.items() if key != "WorkGroup"}
        group, now = call.params["WorkGroup"], self._aws.clock.now()
        return said | {"WorkGroupName": group, "LastModifiedTime": now}

    def _find(self, call: Call) -> Json:
        document = self._documents.get(PREPARED, _key(call))
        if document is None:
            raise _no_statement(call)
        return document


def _key(call: Call) -> str:
    return prepared_key(call.params["WorkGroup"], call.params["StatementName"])


def _no_statement(call: Call) -> AwsError:
    return AwsError(
        "ResourceNotFoundException",
        f"PreparedStatement {call.params['StatementName']} was not found in workGroup "
        f"{call.params['WorkGroup']}",
    )
