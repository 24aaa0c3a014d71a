"""The work of a run: its script in a process of its own, in Spark or in Python alone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.limits import resident_bytes
from localaws.core.processes import ManagedProcess, told
from localaws.glue_jobs import arguments, iceberg, logs, modules, shell, spark, store
from localaws.glue_jobs.archive import ClassArchive
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.glue_jobs.fetching import fetch, python_path
from localaws.glue_jobs.java import NoJava, java_home
from localaws.glue_jobs.settings import SHELL, warning
from localaws.identity.authorization import Mode
from localaws.shapes import Json

JAVA_OPTIONS = "spark.driver.extraJavaOptions"  # a job's win over the environment's
# Py4J's words for an answer that did not come, and for nobody who takes a call. What Java itself
# has refused goes on after the call's name.
JAVA_IS_GONE = re.compile(
    r"(ConnectionRefusedError|ConnectionResetError|Py4JNetworkError)\b.*"
    r"|Py4JError: An error occurred while calling \S+"
)
OUT_OF_MEMORY = re.compile(r"java\.lang\.OutOfMemoryError: .+")
ERRORS_READ_BYTES = 1 << 20
RESULT = "exception.json"  # where the runner leaves the script's exception, if it ends with one


class Work:
    """`alone`: whether no other run is at work. `running` is told when a run's process begins."""

    def __init__(
        self,
        aws: LocalAws,
        bookmarks: Bookmarks,
        alone: Callable[[], bool],
        running: Callable[[Job, Json], None],
    ) -> None:
        self._aws = aws
        self._bookmarks = bookmarks
        self._alone = alone
        self._running = running
        self._working: dict[str, tuple[LocalAws, list[LocalAws]]] = {}  # a role, and the others'
        self._working_lock = threading.Lock()
        self._archive = ClassArchive(aws)
        # Such as -XX:TieredStopAtLevel=1, with which a job of little data takes a third less.
        self._java_options = os.environ.get("LOCALAWS_SPARK_JAVA_OPTIONS", "")

    def folder(self, run_id: str) -> Path:
        """Where the run's script, settings and logs are."""
        return self._aws.home.directory("glue-runs") / run_id

    def do(self, job: Job, record: Json) -> None:
        """Raises JobFailed with the script's exception or exit code, Cancelled."""
        definition, folder = job.request["job"], self.folder(job.id)
        given = arguments.merged(definition, job.request["given"])
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        resolved = arguments.resolve(definition["Name"], job.id, given)
        role = self._role(definition)
        drivers = self._drivers(role, definition)
        script = fetch(
            role, resolved.script or definition["Command"]["ScriptLocation"], folder / "script"
        )
        resolved = replace(resolved, jars=(*resolved.jars, *drivers))
        self._running(job, record)
        if definition["Command"]["Name"] == SHELL:
            self._in_python(job, role, record, given, resolved, script)
        else:
            self._in_spark(job, role, record, given, resolved, script)

    def _role(self, definition: Json) -> LocalAws:
        """The AWS as the job's role sees it, in the session that Glue opens for it."""
        arn = f"arn:aws:glue:{self._aws.region}:{self._aws.account}:job/{definition['Name']}"
        session = "GlueJobRunnerSession"
        return self._aws.acting_as_role(definition["Role"], session, "glue.amazonaws.com", arn)

    def _drivers(self, role: LocalAws, definition: Json) -> list[str]:
        """The drivers (s3 URIs) that the job's connections name. Raises JobFailed for one that is
        not there, or that the role may not see."""
        found = []
        for name in (definition.get("Connections") or {}).get("Connections", []):
            try:
                kept = role.client("glue").get_connection(Name=name)["Connection"]
            except ClientError as error:
                message = error.response["Error"]["Message"]
                raise JobFailed(f"LAUNCH ERROR | Connection {name}: {message}") from error
            driver = (kept.get("ConnectionProperties") or {}).get("JDBC_DRIVER_JAR_URI")
            found += [driver] if driver else []
        return found

    # Python shell

    def _in_python(
        self,
        job: Job,
        role: LocalAws,
        record: Json,
        given: Mapping[str, str],
        resolved: arguments.Arguments,
        script: Path,
    ) -> None:
        folder = self.folder(job.id)
        analytics = shell.uses_analytics(given)
        _begin_log(folder, shell.warnings(analytics))
        wheels = [uri for uri in resolved.python_files if uri.endswith(".whl")]
        others = [uri for uri in resolved.python_files if uri not in wheels]
        paths = [
            *self._modules(job, role, (*resolved.modules, *wheels)),
            *(python_path(role, uri, folder / "modules") for uri in others),
        ]
        environment = role.child_environment(shell.variables(folder, analytics, paths))
        most = int(record["MaxCapacity"] * shell.BYTES_PER_DPU)

        def bounded(process: ManagedProcess) -> None:
            if resident_bytes(process.pid) > most:
                process.stop(0)
                raise JobFailed(
                    f"Out of memory: {record['MaxCapacity']:g} DPU have {most >> 30} GB."
                )

        command = shell.command(folder / RESULT, script, resolved.argv)
        try:
            code = self._follow(job, record, command, environment, bounded)
        finally:
            logs.publish(role, record, *_logs(folder))
        if code != 0:
            raise JobFailed(failure(folder, code))

    # Spark

    def _in_spark(
        self,
        job: Job,
        role: LocalAws,
        record: Json,
        given: Mapping[str, str],
        resolved: arguments.Arguments,
        script: Path,
    ) -> None:
        definition, folder = job.request["job"], self.folder(job.id)
        line = warning(definition)
        _begin_log(folder, [line] if line else [])
        run = self._spark_run(job, role, resolved, script)
        bookmark = self._bookmarks.give(definition["Name"], given, folder)
        try:
            environment = role.child_environment(spark.variables(run, java_home()))
        except NoJava as error:
            raise JobFailed(f"LAUNCH ERROR | {error}") from error
        if self._aws.authorize.mode is not Mode.OFF:
            environment["LOCALAWS_POLICIES"] = self._aws.authorize.mode.value
        job.check()
        with self._at_work(job.id, role) as others, self._aws.object_store.watched() as called:
            before = store.snapshot(run.buckets)
            try:
                code = self._follow(job, record, spark.command(run), environment)
            finally:
                # What a failed run wrote stays, as on AWS; what it had not committed goes.
                if self._alone():
                    store.remove_scratch(run.buckets)
                refused = store.register(role, run.buckets, before, called, others)
                logs.publish(role, record, *_logs(folder))
                if run.event_logs is not None:
                    logs.publish_events(role, given["--spark-event-logs-path"], run.event_logs)
                if refused is None:
                    self._bookmarks.take(record, bookmark, folder)
        if refused is not None:
            raise JobFailed(
                f"An error occurred while calling o1.save. {refused.message} (Service: Amazon S3;"
                f" Status Code: {refused.status}; Error Code: {refused.code})"
            )
        if code != 0:
            raise JobFailed(failure(folder, code))

    def _spark_run(
        self, job: Job, role: LocalAws, resolved: arguments.Arguments, script: Path
    ) -> spark.SparkRun:
        folder, properties = self.folder(job.id), dict(resolved.properties)
        run = spark.SparkRun(
            folder=folder,
            result=folder / RESULT,
            script=script,
            arguments=resolved.argv,
            buckets=store.mounts(self._aws.object_store),
            java_options=" ".join((self._java_options, properties.pop(JAVA_OPTIONS, ""))).strip(),
            properties=properties,
            python_files=(
                *self._modules(job, role, resolved.modules),
                *(python_path(role, uri, folder / "modules") for uri in resolved.python_files),
            ),
            jars=(
                *(fetch(role, uri, folder / "jars") for uri in resolved.jars),
                *([found] if resolved.iceberg and (found := iceberg.jar()) else []),
            ),
            event_logs=folder / "events" if resolved.event_logs else None,
            class_archive=self._archive.file(),
            catalog=resolved.catalog,
        )
        spark.write(run)
        if run.event_logs is not None:
            run.event_logs.mkdir(exist_ok=True)
        return run

    # Both

    def _modules(self, job: Job, role: LocalAws, asked: Sequence[str]) -> list[Path]:
        """Where pip has put what the run asked for; nowhere, if it asked for nothing."""
        if not asked:
            return []
        folder = self.folder(job.id)
        requirements = [
            str(fetch(role, each, folder / "wheels")) if each.startswith("s3://") else each
            for each in asked
        ]
        return [modules.install(self._aws, job, requirements, folder)]

    def _follow(
        self,
        job: Job,
        record: Json,
        command: Sequence[str],
        environment: Mapping[str, str],
        bounded: Callable[[ManagedProcess], None] = lambda process: None,
    ) -> int:
        """The exit code of the run's process. Raises Cancelled, and what `bounded` raises."""
        folder = self.folder(job.id)
        output, errors = _logs(folder)
        with output.open("ab") as stdout:
            process = self._aws.processes.start(
                f"glue job {record['JobName']}",
                command,
                env=environment,
                cwd=folder / "tmp",
                log=errors,
                stdout=stdout,
            )
        return job.watch(process, grace_seconds=1.0, meanwhile=lambda: bounded(process))

    @contextlib.contextmanager
    def _at_work(self, run_id: str, role: LocalAws) -> Iterator[list[LocalAws]]:
        """The roles of the runs that write to the buckets at the same time as this one."""
        with self._working_lock:
            others = [each for each, _ in self._working.values()]
            for _, theirs in self._working.values():
                theirs.append(role)
            self._working[run_id] = role, others
        try:
            yield others
        finally:
            with self._working_lock:
                del self._working[run_id]

    def clear(self, run_id: str) -> None:
        """Its scratch goes; script and logs stay."""
        shutil.rmtree(self.folder(run_id) / "tmp", ignore_errors=True)
        self._archive.consider(idle=self._alone())

    def close(self) -> None:
        self._archive.close()


def _logs(folder: Path) -> tuple[Path, Path]:
    return folder / "output.log", folder / "error.log"


def _begin_log(folder: Path, lines: Sequence[str]) -> None:
    if lines:
        _logs(folder)[1].write_text("".join(f"{line}\n" for line in lines))


def failure(folder: Path, code: int) -> str:
    """The exception that ended the script, else the exit code. Of a Java machine that answers
    nobody any more: what it ended of, if that was memory."""
    if not (folder / RESULT).exists():
        return f"Command failed with exit code {told(code)}"
    message = str(json.loads((folder / RESULT).read_text())["message"])
    if JAVA_IS_GONE.fullmatch(message):
        with _logs(folder)[1].open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - ERRORS_READ_BYTES))
            found = OUT_OF_MEMORY.findall(log.read().decode(errors="replace"))
        return str(found[-1]) if found else message
    return message
