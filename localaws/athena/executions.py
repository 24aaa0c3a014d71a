"""Query executions: started, queued, run on threads, stopped, and kept on disk."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from localaws.athena import plan
from localaws.athena import statements as s
from localaws.athena.commands import COMMANDS
from localaws.athena.ddl import read
from localaws.athena.engine import Engine
from localaws.athena.session import Outcome, Session, change, failure
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.parsing import SyntaxMistake, parse
from localaws.athena.work import Cancelled
from localaws.athena.workgroups import Rules, WorkGroups
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.signals import JobEnded
from localaws.identity.caller import Caller, root
from localaws.s3.objects import split_uri

Json = dict[str, Any]
KIND = "athena-executions"
PREPARED = "athena-prepared"
CONCURRENCY = 2
ATHENA = "athena.amazonaws.com"
MAXIMUM_BYTES = 262_144
logger = logging.getLogger(__name__)
Planner = Callable[[Session, Any, list[str]], Outcome]
PLANNERS: dict[type[s.Statement], Planner] = {
    s.Select: plan.select,
    s.Explain: plan.explain,
    s.CreateTableAs: plan.create_table_as,
    s.Insert: plan.insert,
    s.CreateView: plan.create_view,
    s.Unload: plan.unload,
}


class Executions:
    def __init__(self, aws: LocalAws, groups: WorkGroups) -> None:
        self.aws = aws
        self.groups = groups
        self.folder = aws.home.directory("athena-work")
        self.engine = Engine(aws.home.directory("athena-work") / "spill")
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._queue: queue.Queue[tuple[Session, s.Statement, list[str], float] | None] = (
            queue.Queue()
        )
        self._threads: list[threading.Thread] = []

    def acting(self, caller: Caller) -> LocalAws:
        """Queries read, write and look up in the name of who started them."""
        return self.aws.acting(caller.on_behalf(ATHENA))

    def _in_name_of(self, document: Json) -> LocalAws:
        """The AWS as who started the query sees it; earlier versions did not note who that was."""
        caller = document.get("Caller")
        return self.acting(Caller(**caller) if caller else root(self.aws.account))

    # starting

    def start(self, params: Json, caller: Caller) -> str:
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
            self.aws.documents.put(KIND, execution_id, document)
            self._enqueue(document, statement, output, rules)
        return execution_id

    def _output(self, aws: LocalAws, rules: Rules) -> str:
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
        ending = ".csv" if isinstance(statement, s.Select) else ".txt"
        if statement.TYPE == "DML" and ending == ".txt":
            ending = ""
        document = {
            "QueryExecutionId": execution_id,
            "Query": sql,
            "StatementType": statement.TYPE,
            "SubstatementType": statement.SUBTYPE,
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
        document: Json,
        statement: s.Statement,
        output: str,
        rules: Rules,
        *,
        again: bool = False,
    ) -> None:
        execution_id = document["QueryExecutionId"]
        session = Session(
            aws=self._in_name_of(document),
            engine=self.engine,
            folder=self.folder / execution_id,
            execution_id=execution_id,
            work_group=document["WorkGroup"],
            database=_database(document["QueryExecutionContext"]),
            output=output,
            enforced=rules.enforced,
            byte_limit=rules.byte_limit,
            again=again,
        )
        self._sessions[execution_id] = session
        parameters = document.get("ExecutionParameters", [])
        self._queue.put((session, statement, parameters, time.monotonic()))
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
        self, session: Session, statement: s.Statement, parameters: list[str], queued: float
    ) -> None:
        began = time.monotonic()
        outcome, reason, error = None, None, None
        try:
            session.check()
            self._change(session.execution_id, {"State": "RUNNING"})
            outcome = self._act(session, statement, parameters)
        except Cancelled as cancelled:
            reason = str(cancelled)
        except Exception as problem:
            if not isinstance(problem, QueryError | SyntaxMistake):
                logger.exception("The query %s failed inside localaws", session.execution_id)
            error = _as_query_error(problem)
        finally:
            session.close()
        if self.aws.stopping.is_set():
            return  # recover() tells how it ended
        self._finish(session, outcome, reason, error, began - queued, time.monotonic() - began)

    def _act(self, session: Session, statement: s.Statement, parameters: list[str]) -> Outcome:
        planner = PLANNERS.get(type(statement))
        if planner is not None:
            return planner(session, statement, parameters)
        if isinstance(statement, s.Prepare | s.Execute | s.Deallocate):
            return self._prepared(session, statement)
        answer = COMMANDS[type(statement)](session, statement)
        return plan.lines_outcome(session, answer.lines, answer.columns, answer.changes)

    def _prepared(
        self, session: Session, statement: s.Prepare | s.Execute | s.Deallocate
    ) -> Outcome:
        group, name = session.work_group, statement.name
        key = f"{group}/{name}"
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
        return self._act(session, check(known["QueryStatement"]), statement.using)

    def _change(self, execution_id: str, status: Json) -> None:
        with self._lock:
            document = self.get(execution_id)
            document["Status"] |= status
            self.aws.documents.put(KIND, execution_id, document)

    def _finish(
        self,
        session: Session,
        outcome: Outcome | None,
        reason: str | None,
        error: QueryError | None,
        queued: float,
        ran: float,
    ) -> None:
        """Makes the statement's changes and tells its end, both or none: whoever finds an execution
        that has not ended knows that nothing of it is in the catalog."""
        with self._lock, self.aws.documents.transaction():
            if outcome is not None:
                try:
                    with self.aws.documents.transaction():
                        for one in outcome.changes:
                            one.apply(session.catalog)
                except AwsError as refused:  # another statement was quicker
                    outcome, error = None, _as_query_error(refused)
            document = self.get(session.execution_id)
            milliseconds = int(ran * 1000)
            document["Statistics"] = {
                "EngineExecutionTimeInMillis": milliseconds,
                "DataScannedInBytes": session.scanned_bytes if error is None else 0,
                "TotalExecutionTimeInMillis": milliseconds + int(queued * 1000),
                "QueryQueueTimeInMillis": int(queued * 1000),
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            }
            if outcome is not None:
                if outcome.manifest:
                    document["Statistics"]["DataManifestLocation"] = outcome.manifest
                document["ResultConfiguration"]["OutputLocation"] = outcome.location
                document["Result"] = {
                    "columns": outcome.columns,
                    "update_count": outcome.update_count,
                }
            self._end(document, reason, error)
        self._sessions.pop(session.execution_id, None)
        self.aws.signals.publish(JobEnded("athena", session.execution_id))

    def _end(self, document: Json, reason: str | None, error: QueryError | None) -> None:
        """Writes the document with its last state: cancelled for a reason, failed, or done."""
        status = document["Status"]
        ended = max(self.aws.clock.now(), status["SubmissionDateTime"] + timedelta(milliseconds=1))
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
        return {
            key: value
            for key, value in document.items()
            if key not in ("Result", "Given", "Caller")
        }

    def stop(self, execution_id: str) -> None:
        """Interrupts the query; one that has ended stays as it is."""
        self.get(execution_id)
        session = self._sessions.get(execution_id)
        if session is not None:
            session.interrupt()

    def recover(self) -> None:
        """Runs the queries again that the last stop of the server cut off: on AWS they would have
        gone on. Of what had not ended nothing is in the catalog (see `_finish`)."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for execution_id, document in self.aws.documents.items(KIND):
            if document["Status"]["State"] not in ("QUEUED", "RUNNING"):
                continue
            if "Result" in document:  # its changes are made
                self._end(document, None, None)
            else:
                self._again(execution_id, document)

    def _again(self, execution_id: str, document: Json) -> None:
        """Queues it anew; one that cannot be is FAILED with its reason, and stops no other."""
        try:
            rules = self.groups.rules(document["WorkGroup"], document.get("Given", {}))
            output = self._output(self._in_name_of(document), rules)
            statement = check(document["Query"])
        except Exception as error:  # its work group or bucket is gone, or it is read otherwise now
            if not isinstance(error, AwsError):
                logger.exception("The query %s could not be started again", execution_id)
            self._end(document, None, _as_query_error(error))
            return
        with self._lock:
            self._change(execution_id, {"State": "QUEUED"})
            self._enqueue(document, statement, output, rules, again=True)

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
    if isinstance(problem, QueryError):
        return problem
    if isinstance(problem, SyntaxMistake):
        return QueryError("SYNTAX_ERROR", str(problem))
    if isinstance(problem, AwsError):
        return QueryError(problem.code, problem.message)
    return QueryError("GENERIC_INTERNAL_ERROR", f"{type(problem).__name__}: {problem}")


def check(sql: str) -> s.Statement:
    """The statement. What does not parse, or is no statement here, is refused at once."""
    try:
        statement = read(sql)
        query = getattr(statement, "query", None)
        if query is not None and not isinstance(statement, s.Prepare):
            parse(query)
    except SyntaxMistake as mistake:
        raise AwsError("InvalidRequestException", str(mistake)) from None
    if isinstance(statement, s.Refused):
        raise NotEmulated(
            "athena",
            "StartQueryExecution",
            "QueryString",
            f"The statement is {statement.what}.",
        )
    return statement
