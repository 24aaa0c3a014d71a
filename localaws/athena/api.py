"""The Athena service: queries over the Data Catalog, run by DuckDB where the files lie."""

from __future__ import annotations

import re

from localaws.athena.executions import ATHENA, KIND, PREPARED, Executions
from localaws.athena.lists import page
from localaws.athena.results import rows_page
from localaws.athena.workgroups import WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.service import Call, Service
from localaws.shapes import Json
from localaws.tables.acting import ActingCatalog

_NAMED = "athena-named-queries"


def service(aws: LocalAws) -> Service:
    built = Service("athena")
    groups = WorkGroups(aws)
    groups.ensure_primary()
    groups.register(built)
    executions = Executions(aws, groups)
    built.on_start(executions.recover)
    built.on_stop(executions.close)
    _executions(built, executions)
    _results(built, executions)
    _metadata(built, aws)
    _named_queries(built, aws, groups)
    _prepared_statements(built, aws, groups)
    return built


def _executions(service: Service, executions: Executions) -> None:
    @service.operation(
        "StartQueryExecution",
        "QueryString",
        "ClientRequestToken",
        "QueryExecutionContext",
        "ResultConfiguration.OutputLocation",
        "ResultConfiguration.ExpectedBucketOwner",
        "WorkGroup",
        "ExecutionParameters",
        "ResultReuseConfiguration",
    )
    def start_query_execution(call: Call) -> Json:
        return {"QueryExecutionId": executions.start(call.params, call.caller)}

    @service.operation("GetQueryExecution", "QueryExecutionId")
    def get_query_execution(call: Call) -> Json:
        return {"QueryExecution": executions.shown(executions.get(call.params["QueryExecutionId"]))}

    @service.operation("BatchGetQueryExecution", "QueryExecutionIds")
    def batch_get_query_execution(call: Call) -> Json:
        found, missing = [], []
        for execution_id in call.params["QueryExecutionIds"]:
            try:
                found.append(executions.shown(executions.get(execution_id)))
            except AwsError as error:
                missing.append(
                    {
                        "QueryExecutionId": execution_id,
                        "ErrorCode": error.code,
                        "ErrorMessage": error.message,
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    @service.operation("ListQueryExecutions", "NextToken", "MaxResults", "WorkGroup")
    def list_query_executions(call: Call) -> Json:
        group = call.params.get("WorkGroup") or "primary"
        executions.groups.get(group)
        ids = [
            ((document["Status"]["SubmissionDateTime"], key), key)
            for key, document in executions.aws.documents.items(KIND)
            if document["WorkGroup"] == group
        ]
        found, more = page(ids, call.params, newest_first=True)
        return {"QueryExecutionIds": found, **more}

    @service.operation("StopQueryExecution", "QueryExecutionId")
    def stop_query_execution(call: Call) -> Json:
        executions.stop(call.params["QueryExecutionId"])
        return {}


def _results(service: Service, executions: Executions) -> None:
    @service.operation("GetQueryResults", "QueryExecutionId", "NextToken", "MaxResults")
    def get_query_results(call: Call) -> Json:
        document = executions.get(call.params["QueryExecutionId"])
        state = document["Status"]["State"]
        if state in ("FAILED", "CANCELLED"):
            reason = document["Status"].get("StateChangeReason", "")
            raise AwsError(
                "InvalidRequestException",
                f"Query did not finish successfully. Final query state: {state}. {reason}".strip(),
            )
        if state != "SUCCEEDED":
            raise AwsError(
                "InvalidRequestException", f"Query has not yet finished. Current state: {state}"
            )
        result = document["Result"]
        body: Json = {"ResultSetMetadata": {"ColumnInfo": result["columns"]}, "Rows": []}
        answer: Json = {"UpdateCount": result["update_count"] or 0, "ResultSet": body}
        if result["update_count"] is not None:
            return answer
        token = call.params.get("NextToken") or "0"
        if not str(token).isdigit():
            raise AwsError(
                "InvalidRequestException", f"NextToken {token!r} was not given out here."
            )
        most = int(call.params.get("MaxResults") or 1000)
        if not 1 <= most <= 1000:
            raise AwsError("InvalidRequestException", f"MaxResults is {most}; it is 1 to 1000.")
        location = document["ResultConfiguration"]["OutputLocation"]
        rows, more = rows_page(executions.acting(call.caller), location, int(token), most)
        body["Rows"] = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in rows
        ]
        return {**answer, "NextToken": str(more)} if more is not None else answer

    @service.operation("GetQueryRuntimeStatistics", "QueryExecutionId")
    def get_query_runtime_statistics(call: Call) -> Json:
        document = executions.get(call.params["QueryExecutionId"])
        spent = document["Statistics"]
        names = (
            "QueryQueueTimeInMillis",
            "ServicePreProcessingTimeInMillis",
            "QueryPlanningTimeInMillis",
            "EngineExecutionTimeInMillis",
            "ServiceProcessingTimeInMillis",
            "TotalExecutionTimeInMillis",
        )
        timeline = {name: spent.get(name, 0) for name in names}
        return {
            "QueryRuntimeStatistics": {
                "Timeline": timeline,
                "Rows": {"InputBytes": spent.get("DataScannedInBytes", 0)},
            }
        }


def _metadata(service: Service, aws: LocalAws) -> None:
    def catalog(call: Call) -> ActingCatalog:
        return ActingCatalog(aws.acting(call.caller.on_behalf(ATHENA)))

    def check(call: Call) -> Json:
        given = call.params.get("CatalogName") or call.params.get("Name") or "AwsDataCatalog"
        if given.lower() != "awsdatacatalog":
            raise AwsError(
                "InvalidRequestException",
                f"Data catalog {given} was not found; there is AwsDataCatalog.",
            )
        return call.params

    def missing(error: AwsError) -> AwsError:
        return AwsError("MetadataException", error.message)

    @service.operation("GetDataCatalog", "Name", "WorkGroup")
    def get_data_catalog(call: Call) -> Json:
        check(call)
        return {
            "DataCatalog": {
                "Name": "AwsDataCatalog",
                "Type": "GLUE",
                "Parameters": {"catalog-id": aws.account},
            }
        }

    @service.operation("ListDataCatalogs", "NextToken", "MaxResults", "WorkGroup")
    def list_data_catalogs(call: Call) -> Json:
        return {"DataCatalogsSummary": [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]}

    @service.operation("GetDatabase", "CatalogName", "DatabaseName", "WorkGroup")
    def get_database(call: Call) -> Json:
        try:
            return {"Database": _database(catalog(call).database(check(call)["DatabaseName"]))}
        except AwsError as error:
            raise missing(error) from None

    @service.operation("ListDatabases", "CatalogName", "NextToken", "MaxResults", "WorkGroup")
    def list_databases(call: Call) -> Json:
        found, more = page(((one["Name"], one) for one in catalog(call).databases()), check(call))
        return {"DatabaseList": [_database(one) for one in found], **more}

    @service.operation("GetTableMetadata", "CatalogName", "DatabaseName", "TableName", "WorkGroup")
    def get_table_metadata(call: Call) -> Json:
        params = check(call)
        try:
            return {
                "TableMetadata": _table(
                    catalog(call).table(params["DatabaseName"], params["TableName"])
                )
            }
        except AwsError as error:
            raise missing(error) from None

    @service.operation(
        "ListTableMetadata",
        "CatalogName",
        "DatabaseName",
        "Expression",
        "NextToken",
        "MaxResults",
        "WorkGroup",
    )
    def list_table_metadata(call: Call) -> Json:
        params = check(call)
        try:
            wanted = re.compile(params.get("Expression") or ".*")
            tables = [
                t
                for t in catalog(call).tables(params["DatabaseName"])
                if wanted.fullmatch(t["Name"])
            ]
        except AwsError as error:
            raise missing(error) from None
        except re.error as error:
            raise AwsError(
                "InvalidRequestException", f"Expression is no regular expression: {error}"
            ) from None
        found, more = page(((table["Name"], table) for table in tables), params)
        return {"TableMetadataList": [_table(one) for one in found], **more}


def _database(document: Json) -> Json:
    return {k: document[k] for k in ("Name", "Description", "Parameters") if k in document}


def _table(document: Json) -> Json:
    storage = document.get("StorageDescriptor") or {}
    parameters = dict(document.get("Parameters") or {})
    serde = storage.get("SerdeInfo") or {}
    parameters |= {
        "location": storage.get("Location", ""),
        "inputformat": storage.get("InputFormat", ""),
        "outputformat": storage.get("OutputFormat", ""),
        "serde.serialization.lib": serde.get("SerializationLibrary", ""),
        **{f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()},
    }
    return {
        "Name": document["Name"],
        "CreateTime": document["CreateTime"],
        "TableType": document.get("TableType", ""),
        "Columns": storage.get("Columns") or [],
        "PartitionKeys": document.get("PartitionKeys") or [],
        "Parameters": parameters,
    }


def _named_queries(service: Service, aws: LocalAws, groups: WorkGroups) -> None:
    def found(query_id: str) -> Json:
        document = aws.documents.get(_NAMED, query_id)
        if document is None:
            raise AwsError("InvalidRequestException", f"NamedQuery {query_id} was not found")
        return document

    @service.operation(
        "CreateNamedQuery",
        "Name",
        "Description",
        "Database",
        "QueryString",
        "ClientRequestToken",
        "WorkGroup",
    )
    @aws.documents.atomic
    def create_named_query(call: Call) -> Json:
        given = {k: v for k, v in call.params.items() if k != "ClientRequestToken"}
        group = given.setdefault("WorkGroup", "primary")
        groups.get(group)
        query_id = call.request_id
        token = call.params.get("ClientRequestToken")
        if token:
            known = aws.documents.get("athena-named-tokens", token)
            if known is not None:
                return {"NamedQueryId": known["id"]}
            aws.documents.put("athena-named-tokens", token, {"id": query_id})
        aws.documents.put(_NAMED, query_id, {**given, "NamedQueryId": query_id})
        return {"NamedQueryId": query_id}

    @service.operation("GetNamedQuery", "NamedQueryId")
    def get_named_query(call: Call) -> Json:
        return {"NamedQuery": found(call.params["NamedQueryId"])}

    @service.operation("UpdateNamedQuery", "NamedQueryId", "Name", "Description", "QueryString")
    @aws.documents.atomic
    def update_named_query(call: Call) -> Json:
        document = found(call.params["NamedQueryId"])
        aws.documents.put(_NAMED, document["NamedQueryId"], {**document, **call.params})
        return {}

    @service.operation("ListNamedQueries", "NextToken", "MaxResults", "WorkGroup")
    def list_named_queries(call: Call) -> Json:
        group = call.params.get("WorkGroup") or "primary"
        ids = [
            (key, key)
            for key, document in aws.documents.items(_NAMED)
            if document["WorkGroup"] == group
        ]
        shown, more = page(ids, call.params)
        return {"NamedQueryIds": shown, **more}

    @service.operation("DeleteNamedQuery", "NamedQueryId")
    def delete_named_query(call: Call) -> Json:
        found(call.params["NamedQueryId"])
        aws.documents.delete(_NAMED, call.params["NamedQueryId"])
        return {}


def _prepared_statements(service: Service, aws: LocalAws, groups: WorkGroups) -> None:
    def found(params: Json) -> Json:
        document = aws.documents.get(
            PREPARED, f"{params['WorkGroup']}/{params['StatementName'].lower()}"
        )
        if document is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"PreparedStatement {params['StatementName']} was not found in workGroup "
                f"{params['WorkGroup']}",
            )
        return document

    def put(params: Json) -> None:
        groups.get(params["WorkGroup"])
        document = {k: v for k, v in params.items() if k != "WorkGroup"}
        document |= {"WorkGroupName": params["WorkGroup"], "LastModifiedTime": aws.clock.now()}
        aws.documents.put(
            PREPARED, f"{params['WorkGroup']}/{params['StatementName'].lower()}", document
        )

    @service.operation(
        "CreatePreparedStatement", "StatementName", "WorkGroup", "QueryStatement", "Description"
    )
    @aws.documents.atomic
    def create_prepared_statement(call: Call) -> Json:
        key = f"{call.params['WorkGroup']}/{call.params['StatementName'].lower()}"
        if aws.documents.get(PREPARED, key) is not None:
            raise AwsError(
                "InvalidRequestException",
                f"Prepared statement {call.params['StatementName']} already exists",
            )
        put(call.params)
        return {}

    @service.operation(
        "UpdatePreparedStatement", "StatementName", "WorkGroup", "QueryStatement", "Description"
    )
    @aws.documents.atomic
    def update_prepared_statement(call: Call) -> Json:
        found(call.params)
        put(call.params)
        return {}

    @service.operation("GetPreparedStatement", "StatementName", "WorkGroup")
    def get_prepared_statement(call: Call) -> Json:
        return {"PreparedStatement": found(call.params)}

    @service.operation("DeletePreparedStatement", "StatementName", "WorkGroup")
    def delete_prepared_statement(call: Call) -> Json:
        found(call.params)
        aws.documents.delete(
            PREPARED, f"{call.params['WorkGroup']}/{call.params['StatementName'].lower()}"
        )
        return {}

    @service.operation("ListPreparedStatements", "WorkGroup", "NextToken", "MaxResults")
    def list_prepared_statements(call: Call) -> Json:
        names = [
            (key, {name: d[name] for name in ("StatementName", "LastModifiedTime")})
            for key, d in aws.documents.items(PREPARED)
            if d["WorkGroupName"] == call.params["WorkGroup"]
        ]
        shown, more = page(names, call.params)
        return {"PreparedStatements": shown, **more}
