"""Query executions: started, queued, run, stopped, and kept on disk."""

from __future__ import annotations

import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from localaws.athena import plan, reuse
from localaws.athena.asked import check, read_statement
from localaws.athena.commands import run
from localaws.athena.grammar import statements as s
from localaws.athena.iceberg import plan as iceberg_plan
from localaws.athena.iceberg.locks import TableLocks
from localaws.athena.outcomes import (
    DML_TIMEOUT_SECONDS,
    StatementCancelled,
    StatementFailed,
    applied,
    as_query_error,
    cause,
)
from localaws.athena.session import ByteLimit, Effect, Session, change, failure
from localaws.athena.sql.parsing import SyntaxMistake
from localaws.athena.workgroups import GroupRules, WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Cancelled, Job
from localaws.core.jobs.kind import QUERY
from localaws.core.jobs.runner import Ending, JobRunner
from localaws.errors import AwsError, NotEmulated
from localaws.identity.caller import Caller, root
from localaws.s3.names import NoS3Address
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.trino.errors import QueryError

KIND = QUERY.documents
PREPARED = "athena-prepared"
INNER = ("Result", "Given", "Caller", "Began", "Garbage")  # members that the API does not show
ATHENA = "athena.amazonaws.com"
MAXIMUM_BYTES = 262_144
logger = logging.getLogger(__name__)
Planner = Callable[[Session, Any, list[str]], Effect]
PLANNERS: dict[type[s.Statement], Planner] = {
    s.Select: plan.select,
    s.Explain: plan.explain,
    s.CreateTableAs: plan.create_table_as,
    s.Insert: plan.insert,
    s.CreateView: plan.create_view,
    s.Unload: plan.unload,
    s.Update: iceberg_plan.update,
    s.Delete: iceberg_plan.delete,
    s.Merge: iceberg_plan.merge,
    s.Optimize: iceberg_plan.optimize,
    s.Vacuum: iceberg_plan.vacuum,
}


class QueryExecutions:
    def __init__(self, aws: LocalAws, groups: WorkGroups) -> None:
        self.aws = aws
        self.groups = groups
        self.folder = aws.home.directory("athena-work")
        self._runner = JobRunner(aws, QUERY, self)
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}  # of the statements at work
        self._tables = TableLocks()

    def acting(self, caller: Caller) -> LocalAws:
        """Queries read, write and look up in the name of who started them."""
        return self.aws.acting(caller.on_behalf(ATHENA))

    def _in_name_of(self, document: Json) -> LocalAws:
        """The AWS as who started the query sees it; earlier versions did not note who that was."""
        caller = document.get("Caller")
        return self.acting(Caller.read(caller) if caller else root(self.aws.account))

    # starting

    def start(self, params: Json, caller: Caller) -> str:
        """The id of the execution; the one already there for a ClientRequestToken seen before."""
        sql = params["QueryString"]
        size = len(sql.encode(errors="surrogatepass"))
        if size > MAXIMUM_BYTES:
            raise AwsError(
                "InvalidRequestException",
                f"QueryString has {size} bytes; the most is {MAXIMUM_BYTES}.",
            )
        if any("\ud800" <= letter <= "\udfff" for letter in sql):
            raise AwsError(
                "InvalidRequestException", "QueryString is no text: half a surrogate pair"
            )
        reused = reuse.settings(params)
        group = params.get("WorkGroup") or "primary"
        rules = self.groups.rules(group, params.get("ResultConfiguration") or {})
        context = params.get("QueryExecutionContext") or {}
        if (context.get("Catalog") or "awsdatacatalog").lower() != "awsdatacatalog":
            raise NotEmulated(
                "athena",
                "StartQueryExecution",
                f"QueryExecutionContext.Catalog {context['Catalog']}",
                "AwsDataCatalog is.",
            )
        parameters = list(params.get("ExecutionParameters") or [])
        statement = check(sql)
        aws = self.acting(caller)
        output = self._output(aws, rules)
        with self._lock:
            token = params.get("ClientRequestToken")
            # A repeated call finds what the first one made by its id alone, whenever that died.
            made_id = uuid.uuid5(uuid.NAMESPACE_OID, token) if token else uuid.uuid4()
            execution_id = str(made_id)
            known = self.aws.documents.get(KIND, execution_id)
            if known is not None:
                if known["Query"] != sql:
                    raise AwsError("InvalidRequestException", "Idempotent parameters do not match")
                return execution_id
            document = self._document(
                execution_id, sql, statement, context, group, output, parameters
            )
            document["Caller"] = asdict(caller)
            document["Given"] = params.get("ResultConfiguration") or {}
            document["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": reused}
            document["ResultConfiguration"] |= rules.shown
            self._runner.start(
                execution_id,
                _surroundings(output, rules),
                lambda: self.aws.documents.put(KIND, execution_id, document),
            )
        return execution_id

    def _output(self, aws: LocalAws, rules: GroupRules) -> str:
        if not rules.output:
            raise AwsError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the "
                "Workgroup "
                "result configuration setting or as an API input.",
            )
        bucket, _ = split_uri(rules.output)
        try:
            aws.objects.folder(bucket)
        except AwsError:
            raise AwsError(
                "InvalidRequestException", f"Unable to verify/create output bucket {bucket}"
            ) from None
        return rules.output.rstrip("/") + "/"

    def _document(
        self,
        execution_id: str,
        sql: str,
        statement: s.Statement,
        context: Json,
        group: str,
        output: str,
        parameters: list[str],
    ) -> Json:
        document = {
            "QueryExecutionId": execution_id,
            "Query": sql,
            "StatementType": statement.TYPE,
            "SubstatementType": statement.SUBTYPE,
            "ResultConfiguration": {"OutputLocation": f"{output}{execution_id}{statement.ENDING}"},
            "QueryExecutionContext": {key: value.lower() for key, value in context.items()},
            "Status": {"State": "QUEUED", "SubmissionDateTime": self.aws.clock.now()},
            "Statistics": {},
            "WorkGroup": group,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
        }
        return {**document, "ExecutionParameters": parameters} if parameters else document

    # one statement's life

    def begin(self, job: Job) -> None:
        now = self.aws.clock.now()
        with self.aws.documents.changing(KIND, job.id) as document:
            document["Status"]["State"] = "RUNNING"
            document["Began"] = now

    def work(self, job: Job) -> Effect:
        """Raises StatementFailed, ByteLimit and Cancelled."""
        document = self.get(job.id)
        try:
            session = self._session(job, document)
            # Whoever queries needs the database `default` too, whatever the query reads:
            # docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
            aws = session.aws
            aws.authorize(aws.caller, "glue", "GetDatabase", {"Name": "default"})
            self._sessions[job.id] = session
            statement = read_statement(document["Query"])
            if statement.TYPE == "DML" or isinstance(statement, s.CreateTableAs):
                job.limit(DML_TIMEOUT_SECONDS)
            return self._act(session, statement, document.get("ExecutionParameters", []))
        except ByteLimit as limit:
            raise StatementCancelled(str(limit)) from limit
        except Cancelled:
            raise
        except Exception as problem:
            if not isinstance(problem, QueryError | SyntaxMistake | AwsError | NoS3Address):
                logger.exception("The query %s failed inside localaws", job.id)
            raise StatementFailed(as_query_error(problem)) from problem

    def _session(self, job: Job, document: Json) -> Session:
        aws = self._in_name_of(document)
        given = job.request
        if not given:  # of a version that did not keep it
            rules = self.groups.rules(document["WorkGroup"], document.get("Given", {}))
            given = _surroundings(self._output(aws, rules), rules)
        return Session(
            aws=aws,
            job=job,
            folder=self.folder / job.id,
            execution_id=job.id,
            work_group=document["WorkGroup"],
            database=_database(document["QueryExecutionContext"]),
            locks=self._tables,
            earlier=lambda: reuse.earlier(self.aws.documents, KIND, document, self.aws.clock.now()),
            **given,
        )

    def end(self, job_id: str, ending: Ending) -> None:
        """Makes the statement's changes and tells its end, both or none: whoever finds an execution
        that has not ended knows that nothing of it is in the catalog."""
        try:
            self._ended(job_id, ending, self._sessions.pop(job_id, None))
        except BaseException:
            self._tables.release(job_id)
            raise

    def _ended(self, job_id: str, ending: Ending, session: Session | None) -> None:
        result: Effect | None = ending.result
        reason, error = cause(ending)
        document = self.get(job_id)
        if result is not None and session is not None:
            error = applied(result.changes, session)
            if error is not None:  # another statement was quicker
                result = None
            elif result.garbage:
                document["Garbage"] = result.garbage
        if result is None and session is not None and session.adopted:
            document["Garbage"] = session.adopted
        scanned = session.scanned_bytes if session is not None and error is None else 0
        submitted = document["Status"]["SubmissionDateTime"]
        ended = max(self.aws.clock.now(), submitted + timedelta(milliseconds=1))
        began = document.pop("Began", ended)
        document["Statistics"] = {
            "EngineExecutionTimeInMillis": _milliseconds(ended - began),
            "DataScannedInBytes": scanned,
            "TotalExecutionTimeInMillis": _milliseconds(ended - submitted),
            "QueryQueueTimeInMillis": _milliseconds(began - submitted),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {
                "ReusedPreviousResult": session is not None and session.reused
            },
        }
        if result is not None:
            if result.manifest:
                document["Statistics"]["DataManifestLocation"] = result.manifest
            document["ResultConfiguration"]["OutputLocation"] = result.location
            document["Result"] = {"columns": result.columns, "update_count": result.update_count}
        self._end(document, ended, reason, error)

    def event(self, job_id: str) -> None:
        """Athena sends none. What the end has made garbage goes now that the end is stored."""
        self._tables.release(job_id)
        document = self.get(job_id)
        garbage = document.pop("Garbage", None)
        if garbage:
            objects = self._in_name_of(document).objects
            for uri in garbage:
                try:
                    objects.delete(*split_uri(uri))
                except AwsError as refused:  # what is left there is no table's
                    logger.warning("%s stays: %s", uri, refused.message)
            self.aws.documents.put(KIND, job_id, document)

    def clear(self, job_id: str) -> None:
        shutil.rmtree(self.folder / job_id, ignore_errors=True)

    def _act(self, session: Session, statement: s.Statement, parameters: list[str]) -> Effect:
        planner = PLANNERS.get(type(statement))
        if planner is not None:
            return planner(session, statement, parameters)
        if isinstance(statement, s.Prepare | s.Execute | s.Deallocate):
            return self._prepared(session, statement)
        if isinstance(statement, s.ExecuteImmediate):
            return self._act(session, read_statement(statement.query), statement.using)
        answer = run(session, statement)
        effect = plan.lines_outcome(session, answer.lines, answer.columns, answer.changes)
        return replace(effect, garbage=answer.garbage)

    def _prepared(
        self, session: Session, statement: s.Prepare | s.Execute | s.Deallocate
    ) -> Effect:
        group, name = session.work_group, statement.name
        key = prepared_key(group, name)
        if isinstance(statement, s.Prepare):
            document = {
                "StatementName": name,
                "QueryStatement": statement.query,
                "WorkGroupName": group,
                "LastModifiedTime": self.aws.clock.now(),
            }
            put = change(lambda catalog: catalog.documents.put(PREPARED, key, document))
            return plan.lines_outcome(session, [], [], [put])
        known = self.aws.documents.get(PREPARED, key)
        if known is None:
            raise QueryError(
                "PREPARED_STATEMENT_NOT_FOUND",
                f"PreparedStatement {name} was not found in workGroup {group}",
            )
        if isinstance(statement, s.Deallocate):
            delete = change(lambda catalog: catalog.documents.delete(PREPARED, key))
            return plan.lines_outcome(session, [], [], [delete])
        return self._act(session, read_statement(known["QueryStatement"]), statement.using)

    def _end(
        self, document: Json, ended: datetime, reason: str | None, error: QueryError | None
    ) -> None:
        """Writes the document with its last state: cancelled for a reason, failed, or done."""
        status = document["Status"]
        status |= {"State": "SUCCEEDED", "CompletionDateTime": ended}
        if error is not None:
            told = failure(error)
            status |= {"State": "FAILED", "StateChangeReason": told["ErrorMessage"]}
            status["AthenaError"] = told
        elif reason is not None:
            status |= {"State": "CANCELLED", "StateChangeReason": reason}
        self.aws.documents.put(KIND, document["QueryExecutionId"], document)

    # looking and stopping

    def get(self, execution_id: str) -> Json:
        found = self.aws.documents.get(KIND, execution_id)
        if found is None:
            raise AwsError(
                "InvalidRequestException", f"QueryExecution {execution_id} was not found"
            )
        return found

    def shown(self, document: Json) -> Json:
        return {key: value for key, value in document.items() if key not in INNER}

    def stop(self, execution_id: str) -> None:
        """Cancels the query, also for a server that dies before it is; one that has ended stays."""
        self.get(execution_id)
        self._runner.stop(execution_id, lambda: None)

    def recover(self) -> None:
        """Of what had not ended nothing is in the catalog (see `end`)."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for _, document in self.aws.documents.items(KIND):
            if document["Status"]["State"] in QUERY.active and "Result" in document:
                self._end(document, self.aws.clock.now(), None, None)  # its changes are made
        self._runner.recover()

    def close(self) -> None:
        self._runner.close()


def prepared_key(work_group: str, name: str) -> str:
    """Where a prepared statement is kept; its name is told apart by letters, not by their case."""
    return f"{work_group}/{name.lower()}"


def _surroundings(output: str, rules: GroupRules) -> Json:
    return {"output": output, "enforced": rules.enforced, "byte_limit": rules.byte_limit}


def _milliseconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds() * 1000))


def _database(context: Json) -> str:
    return str(context.get("Database") or "default").strip('`"').lower()
