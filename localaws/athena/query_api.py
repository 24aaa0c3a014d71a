"""The operations on query executions, and on what they have found."""

from __future__ import annotations

from localaws.athena.executions import KIND, QueryExecutions
from localaws.athena.lists import found_and_missing, page
from localaws.athena.results import rows_page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

START = (
    "QueryString",
    "ClientRequestToken",
    "QueryExecutionContext",
    "ResultConfiguration.OutputLocation",
    "ResultConfiguration.ExpectedBucketOwner",
    "ResultConfiguration.EncryptionConfiguration.EncryptionOption",
    "WorkGroup",
    "ExecutionParameters",
    "ResultReuseConfiguration",
)
TIMELINE = (
    "QueryQueueTimeInMillis",
    "ServicePreProcessingTimeInMillis",
    "QueryPlanningTimeInMillis",
    "EngineExecutionTimeInMillis",
    "ServiceProcessingTimeInMillis",
    "TotalExecutionTimeInMillis",
)
MOST_ROWS = 1000


class QueryOperations:
    def __init__(self, executions: QueryExecutions) -> None:
        self._executions = executions

    def register(self, service: Service) -> None:
        by_id, pages = "QueryExecutionId", ("NextToken", "MaxResults")
        service.operation("StartQueryExecution", *START)(self.start)
        service.operation("GetQueryExecution", by_id)(self.get)
        service.operation("BatchGetQueryExecution", "QueryExecutionIds")(self.get_many)
        service.operation("ListQueryExecutions", *pages, "WorkGroup")(self.list)
        service.operation("StopQueryExecution", by_id)(self.stop)
        service.operation("GetQueryResults", by_id, *pages)(self.results)
        service.operation("GetQueryRuntimeStatistics", by_id)(self.statistics)

    def start(self, call: Call) -> Json:
        return {"QueryExecutionId": self._executions.start(call.params, call.caller)}

    def get(self, call: Call) -> Json:
        return {"QueryExecution": self._executions.shown(self._document(call))}

    def get_many(self, call: Call) -> Json:
        executions = self._executions
        found, missing = found_and_missing(
            call.params["QueryExecutionIds"],
            lambda execution_id: executions.shown(executions.get(execution_id)),
            "QueryExecutionId",
        )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list(self, call: Call) -> Json:
        group = call.params.get("WorkGroup") or "primary"
        self._executions.groups.get(group)
        ids = [
            ((document["Status"]["SubmissionDateTime"], key), key)
            for key, document in self._executions.aws.documents.items(KIND)
            if document["WorkGroup"] == group
        ]
        found, more = page(ids, call.params, newest_first=True)
        return {"QueryExecutionIds": found, **more}

    def stop(self, call: Call) -> Json:
        self._executions.stop(call.params["QueryExecutionId"])
        return {}

    def results(self, call: Call) -> Json:
        """A page of rows; what has not succeeded has none."""
        document = self._document(call)
        state = document["Status"]["State"]
        if state in ("FAILED", "CANCELLED"):
            reason = document["Status"].get("StateChangeReason", "")
            raise _invalid(
                f"Query did not finish successfully. Final query state: {state}. {reason}".strip()
            )
        if state != "SUCCEEDED":
            raise _invalid(f"Query has not yet finished. Current state: {state}")
        result = document["Result"]
        body: Json = {"ResultSetMetadata": {"ColumnInfo": result["columns"]}, "Rows": []}
        answer: Json = {"UpdateCount": result["update_count"] or 0, "ResultSet": body}
        location = document["ResultConfiguration"]["OutputLocation"]
        if result["update_count"] is not None or not location.endswith((".csv", ".txt")):
            return answer
        token = call.params.get("NextToken") or "0"
        if not str(token).isdigit():
            raise _invalid(f"NextToken {token!r} was not given out here.")
        most = int(call.params.get("MaxResults") or MOST_ROWS)
        if not 1 <= most <= MOST_ROWS:
            raise _invalid(f"MaxResults is {most}; it is 1 to {MOST_ROWS}.")
        rows, more = rows_page(self._executions.acting(call.caller), location, int(token), most)
        body["Rows"] = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in rows
        ]
        return {**answer, "NextToken": str(more)} if more is not None else answer

    def statistics(self, call: Call) -> Json:
        spent = self._document(call)["Statistics"]
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {name: spent.get(name, 0) for name in TIMELINE},
                "Rows": {"InputBytes": spent.get("DataScannedInBytes", 0)},
            }
        }

    def _document(self, call: Call) -> Json:
        return self._executions.get(call.params["QueryExecutionId"])


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)
