"""Training jobs: each runs in a thread here and a process of its own."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from localaws.cloudwatch.api import measure_training
from localaws.cloudwatch.metrics import TRAININGS
from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Cancelled, Job, JobFailed
from localaws.core.jobs.kind import TRAINING
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.log_shipping import LogShipper
from localaws.core.processes import told
from localaws.errors import AwsError
from localaws.s3.names import split_uri
from localaws.sagemaker import archives, images
from localaws.sagemaker import layout as opt_ml
from localaws.sagemaker.layout import InputError, Layout
from localaws.sagemaker.metrics import LastMetrics, read_metrics
from localaws.sagemaker.names import TRAINING_JOB, find, insert, validation
from localaws.sagemaker.principals import acting, join_network, publish_metrics, pull
from localaws.sagemaker.tail import Tail
from localaws.shapes import Json

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FAILURE_CHARACTERS = 1024
REMEMBERED_LINES = 20
STOP_GRACE_SECONDS = 120.0  # SIGTERM first, as the service does

# TrainingJobStatus and SecondaryStatus of each end.
STATES = {
    Outcome.SUCCEEDED: ("Completed", "Completed"),
    Outcome.FAILED: ("Failed", "Failed"),
    Outcome.STOPPED: ("Stopped", "Stopped"),
    Outcome.TIMED_OUT: ("Stopped", "MaxRuntimeExceeded"),
}
MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingRuns:
    """Starts, watches and stops jobs. A job's document has `describe` (the API's answer)."""

    def __init__(self, aws: LocalAws, logs: LogShipper) -> None:
        self._aws = aws
        self._logs = logs
        self._runner = JobRunner(aws, TRAINING, self)

    def start(self, name: str, document: Json) -> None:
        """Runs a new job with this document. Raises ResourceInUse for a name that is taken."""
        self._runner.start(name, {}, lambda: insert(self._aws, TRAINING_JOB, name, document))

    def recover(self) -> None:
        self._runner.recover()

    def close(self) -> None:
        self._runner.close()

    def stop(self, name: str) -> None:
        """StopTrainingJob: SIGTERM, what was made so far is still uploaded."""
        status = find(self._aws, TRAINING_JOB, name)["describe"]["TrainingJobStatus"]
        if status not in ("InProgress", "Stopping"):
            raise validation(
                f"The request was rejected because the training job is in status {status}."
            )
        if status == "InProgress":
            self._runner.stop(name, lambda: self._move(name, "Stopping", status="Stopping"))

    # -- one job's life ------------------------------------------------------------------------

    def begin(self, job: Job) -> None:
        self._move(job.id, "Downloading", TrainingStartTime=self._aws.clock.now())

    def work(self, job: Job) -> None:
        name = job.id
        request = find(self._aws, TRAINING_JOB, name)["request"]
        layout = self._layout(name)
        role = acting(self._aws, request["RoleArn"], name)
        try:
            pull(role, request["AlgorithmSpecification"]["TrainingImage"])
            join_network(role, request.get("VpcConfig"))
            publish_metrics(role, TRAININGS)
        except AwsError as refused:
            raise InputError(f"ClientError: {refused.message}") from refused
        self._prepare(role, request, layout)
        job.check()
        self._move(name, "Training")
        log = layout.base.parent / "training.log"
        describe = find(self._aws, TRAINING_JOB, name)["describe"]
        entry, _ = opt_ml.program(request)
        values = opt_ml.decoded(request.get("HyperParameters", {}))
        words = opt_ml.arguments({k: v for k, v in values.items() if not opt_ml.is_framework(k)})
        module = str(entry or "").removesuffix(".py")
        tail, metrics = Tail(log), LastMetrics()
        job.limit(request["StoppingCondition"]["MaxRuntimeInSeconds"])
        process = self._aws.processes.start(
            f"training {name}",
            images.command("train", module, *words),
            env=role.child_environment(
                request.get("Environment", {})
                | opt_ml.environment(layout, request, describe["TrainingJobArn"])
            ),
            cwd=layout.code,
            log=log,
        )
        last: deque[str] = deque(maxlen=REMEMBERED_LINES)
        stream = f"{name}/algo-1-{int(self._aws.clock.now().timestamp())}"

        def read(*, end: bool = False) -> None:
            lines = tail.lines(last=end)
            last.extend(lines)
            metrics.read(lines, self._aws.clock.now())
            for line in lines:
                if values := read_metrics(line):
                    measure_training(self._aws, name, values)
            self._logs.send(role.caller, LOG_GROUP, stream, lines)

        try:
            code = job.watch(process, grace_seconds=STOP_GRACE_SECONDS, meanwhile=read)
        except Cancelled:
            if not job.closing:
                read(end=True)
                self._move(name, "Uploading", status="Stopping", **metrics.members())
                self._note(name, self._upload(role, name, request, layout))
            raise
        read(end=True)
        self._move(name, "Uploading", **metrics.members())
        artifact = self._upload(role, name, request, layout)
        self._note(name, artifact)
        if code != 0:
            command = " ".join(["python3", "-m", module, *words])
            raise JobFailed(failure_reason(layout.failure, code, command, list(last)))
        if not artifact:
            # The service would call this Completed, with an empty archive: nothing was learnt.
            raise JobFailed(
                "AlgorithmError: the script ended well but left no file in SM_MODEL_DIR,"
                " exit code: 0"
            )
        shutil.rmtree(layout.base, ignore_errors=True)  # after a failure it stays, to look at

    def end(self, job_id: str, ending: Ending) -> None:
        status, secondary = STATES[ending.outcome]
        now = self._aws.clock.now()
        with self._describing(job_id) as describe:
            seconds = (now - describe.get("TrainingStartTime", now)).total_seconds()
            describe["TrainingTimeInSeconds"] = describe["BillableTimeInSeconds"] = max(
                1, round(seconds)
            )
            describe["TrainingEndTime"] = now
            if ending.reason is not None:
                describe["FailureReason"] = _worded(ending)[:FAILURE_CHARACTERS]
            describe["TrainingJobStatus"] = status
            enter(describe, secondary, now)

    def event(self, job_id: str) -> None:
        return None

    def clear(self, job_id: str) -> None:
        shutil.rmtree(self._layout(job_id).base / "input", ignore_errors=True)

    def _layout(self, name: str) -> Layout:
        return Layout(self._aws.home.directory("training") / name / "ml")

    def _prepare(self, aws: LocalAws, request: Json, layout: Layout) -> None:
        """Folders, code, configuration, channels, earlier checkpoints."""
        layout.make()
        _, source = opt_ml.program(request)
        try:
            if source:
                archives.unpack(aws.objects.path(*split_uri(str(source))), layout.code)
        except (AwsError, ValueError, OSError) as problem:
            raise InputError(
                f"AlgorithmError: framework error: {source}: {problem}, exit code: 1"
            ) from problem
        opt_ml.write_config(layout, request)
        for channel in request.get("InputDataConfig", []):
            try:
                opt_ml.link_channel(aws, layout.channel(channel["ChannelName"]), channel)
            except AwsError as problem:
                raise InputError(f"ClientError: Data download failed:{problem}") from problem
        if "CheckpointConfig" in request:
            bucket, prefix = split_uri(request["CheckpointConfig"]["S3Uri"].rstrip("/") + "/")
            for stored in aws.objects.read(bucket, prefix):
                target = layout.checkpoints / opt_ml.relative_name(stored.key, prefix)
                if stored.key.endswith("/") or layout.checkpoints not in target.resolve().parents:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(stored.path, target)  # a copy: the script may write to it

    def _upload(self, aws: LocalAws, name: str, request: Json, layout: Layout) -> Json:
        """Model, output data and checkpoints to S3; `ModelArtifacts` if there is a model."""
        where = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        bucket, prefix = split_uri(f"{where}/{name}/output/")
        members: Json = {}
        for folder, file in ((layout.model, "model.tar.gz"), (layout.data, "output.tar.gz")):
            packed = layout.base / file
            if archives.pack(folder, packed):
                aws.objects.adopt(bucket, prefix + file, packed, "application/x-tar")
                if folder == layout.model:
                    uri = f"s3://{bucket}/{prefix}{file}"
                    members["ModelArtifacts"] = {"S3ModelArtifacts": uri}
        if "CheckpointConfig" in request:
            bucket, prefix = split_uri(request["CheckpointConfig"]["S3Uri"].rstrip("/") + "/")
            for path in sorted(p for p in layout.checkpoints.rglob("*") if p.is_file()):
                key = prefix + path.relative_to(layout.checkpoints).as_posix()
                aws.objects.adopt(bucket, key, path)
        return members

    def _note(self, name: str, members: Json) -> None:
        with self._describing(name) as describe:
            describe |= members

    # -- the document --------------------------------------------------------------------------

    @contextmanager
    def _describing(self, name: str) -> Iterator[Json]:
        """The description, to be changed in place."""
        with self._aws.documents.changing(TRAINING_JOB, name) as document:
            yield document["describe"]

    def _move(
        self, name: str, secondary: str, status: str | None = None, **members: object
    ) -> None:
        """Enters a secondary status; `members` are written into the description."""
        with self._describing(name) as describe:
            if status is not None:
                describe["TrainingJobStatus"] = status
            enter(describe, secondary, self._aws.clock.now())
            describe |= members


def _worded(ending: Ending) -> str:
    if isinstance(ending.error, JobFailed):
        return str(ending.reason)
    return f"InternalServerError: {ending.reason}"


def enter(describe: Json, secondary: str, now: datetime) -> None:
    """Closes the last secondary status and opens the next."""
    transitions = describe.setdefault("SecondaryStatusTransitions", [])
    if transitions:
        transitions[-1]["EndTime"] = now
    entry: Json = {"Status": secondary, "StartTime": now, "StatusMessage": MESSAGES[secondary]}
    if secondary in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded"):
        entry["EndTime"] = now
    transitions.append(entry)
    describe["SecondaryStatus"] = secondary
    describe["LastModifiedTime"] = now


def failure_reason(failure: Path, code: int | None, command: str, last_lines: list[str]) -> str:
    """`AlgorithmError: ...`, from the failure file or else the last lines."""
    tail = f", exit code: {told(code)}"
    try:
        text = failure.read_text(errors="replace").strip()
    except OSError:
        text = ""
    if not text:
        head = f'ExecuteUserScriptError:\nCommand "{command}"\n'
        room = FAILURE_CHARACTERS - len("AlgorithmError: ") - len(head) - len(tail)
        # The end of a traceback says what went wrong.
        text = head + "\n".join(last_lines)[-max(room, 100) :]
    room = FAILURE_CHARACTERS - len("AlgorithmError: ") - len(tail)
    return "AlgorithmError: " + text[:room] + tail
