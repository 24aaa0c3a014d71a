"""Query executions: started, queued, run on threads, stopped, and kept on disk."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from localaws.athena import statements
from localaws.athena.commands import COMMANDS
from localaws.athena.ddl import Statement, read
from localaws.athena.engine import Engine
from localaws.athena.session import Cancelled, Session, failure
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.parsing import SyntaxMistake, parse
from localaws.athena.workgroups import Rules, WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.signals import JobEnded
from localaws.s3.objects import split_uri

Json = dict[str, Any]
KIND = "athena-executions"
PREPARED = "athena-prepared"
CONCURRENCY = 2
MAXIMUM_BYTES = 262_144
logger = logging.getLogger(__name__)
_UTILITY = ("describe", "explain")
_SUBTYPES = {"query": "select", "ctas": "create table as select", "view": "create view"}
_DML = ("query", "ctas", "insert", "unload", "execute")


class Executions:
    def __init__(self, aws: LocalAws, groups: WorkGroups) -> None:
        self.aws = aws
        self.groups = groups
        self.folder = aws.home.directory("athena-work")
        self.engine = Engine(aws.home.directory("athena-work") / "spill")
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._queue: queue.Queue[tuple[Session, Statement, str, list[str], float] | None] = (
            queue.Queue()
        )
        self._threads: list[threading.Thread] = []

    # starting

    def start(self, params: Json) -> str:
        """The id of the execution; the one already there for a ClientRequestToken seen before."""
        sql = params["QueryString"]
        if len(sql.encode()) > MAXIMUM_BYTES:
            raise AwsError(
                "InvalidRequestException",
                f"QueryString has {len(sql.encode())} bytes; the most is {MAXIMUM_BYTES}.",
            )
        reuse = (params.get("ResultReuseConfiguration") or {}).get(
            "ResultReuseByAgeConfiguration"
        ) or {}
        if reuse.get("Enabled"):
            raise NotEmulated("athena", "StartQueryExecution", "ResultReuseConfiguration")
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
        output = self._output(rules)
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
            document["Given"] = params.get("ResultConfiguration") or {}
            self.aws.documents.put(KIND, execution_id, document)
            self._enqueue(
                execution_id,
                statement,
                sql,
                parameters,
                _database(context),
                output,
                rules,
            )
        return execution_id

    def _output(self, rules: Rules) -> str:
        if not rules.output:
            raise AwsError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the "
                "Workgroup "
                "result configuration setting or as an API input.",
            )
        bucket, _ = split_uri(rules.output)
        try:
            self.aws.objects.folder(bucket)
        except AwsError:
            raise AwsError(
                "InvalidRequestException", f"Unable to verify/create output bucket {bucket}"
            ) from None
        return rules.output.rstrip("/") + "/"

    def _document(
        self,
        execution_id: str,
        sql: str,
        statement: Statement,
        context: Json,
        group: str,
        output: str,
        parameters: list[str],
    ) -> Json:
        kind = (
            "DML"
            if statement.kind in _DML
            else "UTILITY"
            if statement.kind in _UTILITY or statement.kind.startswith("show")
            else "DDL"
        )
        ending = {"query": ".csv"}.get(statement.kind, "" if kind == "DML" else ".txt")
        document = {
            "QueryExecutionId": execution_id,
            "Query": sql,
            "StatementType": kind,
            "SubstatementType": _SUBTYPES.get(statement.kind, statement.kind)
            .upper()
            .replace(" ", "_"),
            "ResultConfiguration": {"OutputLocation": f"{output}{execution_id}{ending}"},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
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

    def _enqueue(
        self,
        execution_id: str,
        statement: Statement,
        sql: str,
        parameters: list[str],
        database: str,
        output: str,
        rules: Rules,
        again: datetime | None = None,
    ) -> None:
        session = Session(
            self.aws,
            self.engine,
            self.folder,
            execution_id,
            database,
            output,
            rules.enforced,
            rules.byte_limit,
            threading.Event(),
            again,
        )
        self._sessions[execution_id] = session
        self._queue.put((session, statement, sql, parameters, time.monotonic()))
        if len(self._threads) < CONCURRENCY:
            thread = threading.Thread(
                target=self._work, name=f"athena-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    # running

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None:
                return
            try:
                self._run(*item)
            except Exception:
                logger.exception("The execution %s could not be ended", item[0].execution_id)

    def _run(
        self, session: Session, statement: Statement, sql: str, parameters: list[str], queued: float
    ) -> None:
        began = time.monotonic()
        state, reason, error = "SUCCEEDED", None, None
        try:
            session.check()
            self._change(session.execution_id, {"State": "RUNNING"})
            self._act(session, statement, sql, parameters)
        except Cancelled as cancelled:
            state, reason = "CANCELLED", str(cancelled)
        except SyntaxMistake as mistake:
            state, error = "FAILED", failure(QueryError("SYNTAX_ERROR", str(mistake)))
        except QueryError as problem:
            state, error = "FAILED", failure(problem)
            if problem.code == "FAILED":
                error["ErrorMessage"] = f"FAILED: {problem.message}"
        except Exception as problem:
            logger.exception("The query %s failed inside localaws", session.execution_id)
            state, error = "FAILED", failure(_as_query_error(problem))
        finally:
            session.close()
        if self.aws.stopping.is_set():
            return  # recover() tells how it ended
        self._finish(session, state, reason, error, began - queued, time.monotonic() - began)

    def _act(self, session: Session, statement: Statement, sql: str, parameters: list[str]) -> None:
        kind = statement.kind
        if kind == "query":
            statements.select(session, sql, parameters)
        elif kind == "ctas":
            statements.create_table_as(session, sql, parameters)
        elif kind == "insert":
            statements.insert(session, sql, parameters)
        elif kind == "view":
            statements.create_view(session, sql)
        elif kind == "unload":
            statements.unload(session, statement, parameters)
        elif kind == "explain":
            statements.explain_query(session, statement, parameters)
        elif kind in ("prepare", "execute", "deallocate"):
            self._prepared(session, statement)
        else:
            statements.lines(session, *COMMANDS[kind](session, statement.given))

    def _prepared(self, session: Session, statement: Statement) -> None:
        group = (self.aws.documents.get(KIND, session.execution_id) or {})["WorkGroup"]
        key = f"{group}/{statement.given['name']}"
        if statement.kind == "prepare":
            document = {
                "StatementName": statement.given["name"],
                "QueryStatement": statement.given["query"],
                "WorkGroupName": group,
                "LastModifiedTime": self.aws.clock.now(),
            }
            self.aws.documents.put(PREPARED, key, document)
            statements.lines(session, [], [])
            return
        known = self.aws.documents.get(PREPARED, key)
        if known is None:
            raise QueryError(
                "PREPARED_STATEMENT_NOT_FOUND",
                f"PreparedStatement {statement.given['name']} was not found in workGroup {group}",
            )
        if statement.kind == "deallocate":
            self.aws.documents.delete(PREPARED, key)
            statements.lines(session, [], [])
            return
        inner = check(known["QueryStatement"])
        self._act(session, inner, known["QueryStatement"], statement.given["using"])

    def _change(self, execution_id: str, status: Json) -> None:
        with self._lock:
            document = self.get(execution_id)
            document["Status"] |= status
            self.aws.documents.put(KIND, execution_id, document)

    def _finish(
        self,
        session: Session,
        state: str,
        reason: str | None,
        error: Json | None,
        queued: float,
        ran: float,
    ) -> None:
        outcome = session.outcome
        with self._lock:
            document = self.get(session.execution_id)
            status = document["Status"]
            ended = max(
                self.aws.clock.now(), status["SubmissionDateTime"] + timedelta(milliseconds=1)
            )
            status |= {"State": state, "CompletionDateTime": ended}
            if error is not None:
                status |= {"StateChangeReason": error["ErrorMessage"], "AthenaError": error}
            elif reason is not None:
                status["StateChangeReason"] = reason
            milliseconds = int(ran * 1000)
            document["Statistics"] = {
                "EngineExecutionTimeInMillis": milliseconds,
                "DataScannedInBytes": outcome.scanned if state != "FAILED" else 0,
                "TotalExecutionTimeInMillis": milliseconds + int(queued * 1000),
                "QueryQueueTimeInMillis": int(queued * 1000),
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            }
            if outcome.manifest:
                document["Statistics"]["DataManifestLocation"] = outcome.manifest
            if outcome.location and state == "SUCCEEDED":
                document["ResultConfiguration"]["OutputLocation"] = outcome.location
            document["Result"] = {"columns": outcome.columns, "update_count": outcome.update_count}
            self.aws.documents.put(KIND, session.execution_id, document)
            self._sessions.pop(session.execution_id, None)
        self.aws.signals.publish(JobEnded("athena", session.execution_id))

    # looking and stopping

    def get(self, execution_id: str) -> Json:
        found = self.aws.documents.get(KIND, execution_id)
        if found is None:
            raise AwsError(
                "InvalidRequestException", f"QueryExecution {execution_id} was not found"
            )
        return found

    def shown(self, document: Json) -> Json:
        return {key: value for key, value in document.items() if key not in ("Result", "Given")}

    def stop(self, execution_id: str) -> None:
        """Interrupts the query; one that has ended stays as it is."""
        self.get(execution_id)
        session = self._sessions.get(execution_id)
        if session is not None:
            session.interrupt()

    def recover(self) -> None:
        """Runs the queries again that the last stop of the server cut off: on AWS they would have
        gone on. What such an attempt had made is recognised by the execution's id and time."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for execution_id, document in self.aws.documents.items(KIND):
            if document["Status"]["State"] in ("QUEUED", "RUNNING"):
                self._again(execution_id, document)

    def _again(self, execution_id: str, document: Json) -> None:
        """Queues it anew; one that cannot be is FAILED with its reason, and stops no other."""
        try:
            rules = self.groups.rules(document["WorkGroup"], document.get("Given", {}))
            output = self._output(rules)
            statement = check(document["Query"])
        except Exception as error:  # its work group or bucket is gone, or it is read otherwise now
            problem = _as_query_error(error)
            if not isinstance(error, AwsError):
                logger.exception("The query %s could not be started again", execution_id)
            self._change(
                execution_id,
                {
                    "State": "FAILED",
                    "StateChangeReason": str(problem),
                    "CompletionDateTime": self.aws.clock.now(),
                    "AthenaError": failure(problem),
                },
            )
            return
        with self._lock:
            self._change(execution_id, {"State": "QUEUED"})
            self._enqueue(
                execution_id,
                statement,
                document["Query"],
                document.get("ExecutionParameters", []),
                _database(document["QueryExecutionContext"]),
                output,
                rules,
                again=document["Status"]["SubmissionDateTime"],
            )

    def stop_all(self) -> None:
        for session in list(self._sessions.values()):
            session.interrupt()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(10)
        self.engine.close()


def _database(context: Json) -> str:
    return str(context.get("Database") or "default").strip('`"').lower()


def _as_query_error(problem: Exception) -> QueryError:
    if isinstance(problem, AwsError):
        return QueryError(problem.code, problem.message)
    return QueryError("GENERIC_INTERNAL_ERROR", f"{type(problem).__name__}: {problem}")


def check(sql: str) -> Statement:
    """The statement's kind. What does not parse, or is no statement here, is refused at once."""
    try:
        statement = read(sql)
        if statement.kind == "query":
            parse(sql)
        elif statement.kind in ("unload", "explain"):
            parse(statement.given["query"])
    except SyntaxMistake as mistake:
        raise AwsError("InvalidRequestException", str(mistake)) from None
    if statement.kind == "refused":
        raise NotEmulated(
            "athena",
            "StartQueryExecution",
            "QueryString",
            f"The statement is {statement.given['what']}.",
        )
    return statement
