"""The Athena service: queries over the Data Catalog, run by DuckDB where the files lie."""

from __future__ import annotations

from localaws.athena.executions import QueryExecutions
from localaws.athena.metadata import Metadata
from localaws.athena.query_api import QueryOperations
from localaws.athena.saved import NamedQueries, PreparedStatements
from localaws.athena.workgroups import WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.service import Service


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
    return built
