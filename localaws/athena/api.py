"""The Athena service: queries over the Data Catalog, run by DuckDB where the files lie."""

from __future__ import annotations

from localaws.athena.executions import KIND, QueryExecutions
from localaws.athena.metadata import Metadata
from localaws.athena.query_api import QueryOperations
from localaws.athena.saved import NAMED, NamedQueries, PreparedStatements
from localaws.athena.workgroups import WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.shapes import Json


def service(aws: LocalAws) -> Service:
    built = Service("athena")
    groups = WorkGroups(aws)
    groups.ensure_primary()
    executions = QueryExecutions(aws, groups)
    built.on_start(executions.recover)
    built.on_stop(executions.close)
    for part in (
        groups,
        QueryOperations(executions),
        Metadata(aws),
        NamedQueries(aws, groups),
        PreparedStatements(aws, groups),
    ):
        part.register(built)
    aws.authorize.lookups["athena"] = lambda operation, params: with_group(aws, operation, params)
    return built


def with_group(aws: LocalAws, operation: str, params: Json) -> Json:
    """The parameters with the work group of the query that they name: what is authorised."""
    if operation.endswith("WorkGroup"):
        return {**params, "WorkGroup": params.get("WorkGroup") or params.get("Name")}
    for kind, name in (
        (KIND, params.get("QueryExecutionId") or (params.get("QueryExecutionIds") or [None])[0]),
        (NAMED, params.get("NamedQueryId")),
    ):
        document = aws.documents.get(kind, name) if name else None
        if document is not None:
            return {**params, "WorkGroup": document["WorkGroup"]}
    return params
