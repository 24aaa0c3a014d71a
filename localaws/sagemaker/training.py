"""Training jobs: each runs in a thread here and a process of its own."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.processes import ManagedProcess
from localaws.core.service import Json
from localaws.core.signals import JOB_ENDED
from localaws.functions.logs import LogShipper
from localaws.s3.names import split_uri
from localaws.sagemaker import archives, images
from localaws.sagemaker import layout as opt_ml
from localaws.sagemaker.layout import InputError, Layout
from localaws.sagemaker.metrics import LastMetrics
from localaws.sagemaker.names import TRAINING_JOB, find, validation
from localaws.sagemaker.tail import Tail

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FAILURE_CHARACTERS = 1024
REMEMBERED_LINES = 20
POLL_SECONDS = 0.2
STOP_GRACE_SECONDS = 120.0  # SIGTERM first, as the service does

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


class Running:
    """The switches of a running job."""

    def __init__(self) -> None:
        self.stop = threading.Event()


class TrainingJobs:
    """Starts, watches and stops jobs. A job's document has `describe` (the API's answer)."""

    def __init__(self, aws: LocalAws, logs: LogShipper) -> None:
        self._aws = aws
        self._logs = logs
        self._lock = threading.RLock()
        self._running: dict[str, Running] = {}

    def start(self, name: str) -> None:
        """Runs the job of an existing document, from its beginning."""
        running = Running()
        with self._lock:
            self._running[name] = running
        thread = threading.Thread(
            target=self._run, args=(name, running), name=f"training {name}", daemon=True
        )
        thread.start()

    def restore(self) -> None:
        """Starts again what an earlier server left unfinished; on AWS it would have gone on."""
        for name, document in self._aws.documents.items(TRAINING_JOB):
            status = document["describe"]["TrainingJobStatus"]
            if status == "InProgress":
                self.start(name)
            elif status == "Stopping":
                self._end(name, "Stopped", "Stopped")

    def stop(self, name: str) -> None:
        """StopTrainingJob: SIGTERM, what was made so far is still uploaded."""
        with self._lock:
            describe = find(self._aws, TRAINING_JOB, name)["describe"]
            status = describe["TrainingJobStatus"]
            if status == "Stopping":
                return
            if status != "InProgress":
                raise validation(
                    "The request was rejected because the training job is in status "
                    f"{describe['TrainingJobStatus']}."
                )
            self._move(name, "Stopping", status="Stopping")
            running = self._running.get(name)
        if running is not None:
            running.stop.set()

    # -- one job -------------------------------------------------------------------------------

    def _run(self, name: str, running: Running) -> None:
        request = find(self._aws, TRAINING_JOB, name)["request"]
        layout = Layout(self._aws.home.directory("training") / name / "ml")
        try:
            self._train(name, request, layout, running)
        except InputError as problem:
            self._end(name, "Failed", "Failed", reason=str(problem))
        except Exception as problem:
            if self._aws.stopping.is_set():
                return
            reason = f"InternalServerError: localaws: {type(problem).__name__}: {problem}"
            self._end(name, "Failed", "Failed", reason=reason)
            raise
        finally:
            with self._lock:
                self._running.pop(name, None)
            if not self._aws.stopping.is_set():
                # After a failure everything but the data stays, to look at.
                describe = find(self._aws, TRAINING_JOB, name)["describe"]
                well = describe["TrainingJobStatus"] == "Completed"
                shutil.rmtree(layout.base if well else layout.base / "input", ignore_errors=True)

    def _train(self, name: str, request: Json, layout: Layout, running: Running) -> None:
        self._move(name, "Downloading", TrainingStartTime=self._aws.clock.now())
        self._prepare(request, layout)
        if running.stop.is_set():
            self._end(name, "Stopped", "Stopped")
            return
        self._move(name, "Training")
        log = layout.base.parent / "training.log"
        describe = find(self._aws, TRAINING_JOB, name)["describe"]
        entry, _ = opt_ml.program(request)
        values = opt_ml.decoded(request.get("HyperParameters", {}))
        words = opt_ml.arguments({k: v for k, v in values.items() if not opt_ml.is_framework(k)})
        module = str(entry).removesuffix(".py")
        tail, metrics = Tail(log), LastMetrics()
        process = self._aws.processes.start(
            f"training {name}",
            images.command("train", module, *words),
            env=self._aws.processes.environment(
                request.get("Environment", {})
                | opt_ml.environment(layout, request, describe["TrainingJobArn"])
            ),
            cwd=layout.code,
            log=log,
        )
        last: deque[str] = deque(maxlen=REMEMBERED_LINES)
        stream = f"{name}/algo-1-{int(time.time())}"

        def read(*, end: bool = False) -> None:
            lines = tail.lines(last=end)
            last.extend(lines)
            metrics.read(lines, self._aws.clock.now())
            self._logs.send(LOG_GROUP, stream, lines)

        limit = request["StoppingCondition"]["MaxRuntimeInSeconds"]
        why = self._watch(process, running, limit, read)
        if self._aws.stopping.is_set():
            return  # taken up again at the next start
        read(end=True)
        command = " ".join(["python3", "-m", module, *words])
        self._finish(name, request, layout, process, why, metrics, command, list(last))

    def _prepare(self, request: Json, layout: Layout) -> None:
        """Folders, code, configuration, channels, earlier checkpoints."""
        layout.make()
        _, source = opt_ml.program(request)
        try:
            archives.unpack(self._aws.objects.path(*split_uri(str(source))), layout.code)
        except (AwsError, ValueError, OSError) as problem:
            raise InputError(
                f"AlgorithmError: framework error: {source}: {problem}, exit code: 1"
            ) from problem
        opt_ml.write_config(layout, request)
        for channel in request.get("InputDataConfig", []):
            try:
                opt_ml.link_channel(self._aws, layout.channel(channel["ChannelName"]), channel)
            except AwsError as problem:
                raise InputError(f"ClientError: Data download failed:{problem}") from problem
        if "CheckpointConfig" in request:
            bucket, prefix = split_uri(request["CheckpointConfig"]["S3Uri"].rstrip("/") + "/")
            for stored in self._aws.objects.list(bucket, prefix):
                target = layout.checkpoints / opt_ml.relative_name(stored.key, prefix)
                if stored.key.endswith("/") or layout.checkpoints not in target.resolve().parents:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(stored.path, target)  # a copy: the script may write to it

    def _watch(
        self,
        process: ManagedProcess,
        running: Running,
        limit_seconds: float,
        read: Callable[[], None],
    ) -> str | None:
        """Waits for the process; why it was ended by us, if it was."""
        deadline = time.monotonic() + limit_seconds
        why: str | None = None
        while process.wait(POLL_SECONDS) is None:
            read()
            if self._aws.stopping.is_set():
                process.stop(0)
                break
            if running.stop.is_set():
                why = "Stopped"
            elif time.monotonic() > deadline:
                why = "MaxRuntimeExceeded"
            if why:
                process.stop(STOP_GRACE_SECONDS)
                break
        return why

    def _finish(
        self,
        name: str,
        request: Json,
        layout: Layout,
        process: ManagedProcess,
        why: str | None,
        metrics: LastMetrics,
        command: str,
        last_lines: list[str],
    ) -> None:
        """Uploads what there is, then says how it ended."""
        code = process.wait(0)
        self._move(name, "Uploading", status="Stopping" if why else "InProgress")
        ended: Json = {"TrainingEndTime": self._aws.clock.now()}
        if metrics.listed():
            ended["FinalMetricDataList"] = metrics.listed()
        artifact = self._upload(name, request, layout)
        if artifact:
            ended["ModelArtifacts"] = {"S3ModelArtifacts": artifact}
        if why:
            self._end(name, "Stopped", why, **ended)
        elif code != 0:
            reason = failure_reason(layout.failure, code, command, last_lines)
            self._end(name, "Failed", "Failed", reason=reason, **ended)
        elif artifact is None:
            # The service would call this Completed, with an empty archive: nothing was learnt.
            reason = "AlgorithmError: the script ended well but left no file in SM_MODEL_DIR"
            self._end(name, "Failed", "Failed", reason=f"{reason}, exit code: 0", **ended)
        else:
            self._end(name, "Completed", "Completed", **ended)

    def _upload(self, name: str, request: Json, layout: Layout) -> str | None:
        """Model, output data and checkpoints to S3; the model's address if there is a model."""
        where = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        bucket, prefix = split_uri(f"{where}/{name}/output/")
        found: str | None = None
        for folder, file in ((layout.model, "model.tar.gz"), (layout.data, "output.tar.gz")):
            packed = layout.base / file
            if archives.pack(folder, packed):
                self._aws.objects.adopt(bucket, prefix + file, packed, "application/x-tar")
                if folder == layout.model:
                    found = f"s3://{bucket}/{prefix}{file}"
        if "CheckpointConfig" in request:
            bucket, prefix = split_uri(request["CheckpointConfig"]["S3Uri"].rstrip("/") + "/")
            for path in sorted(p for p in layout.checkpoints.rglob("*") if p.is_file()):
                key = prefix + path.relative_to(layout.checkpoints).as_posix()
                self._aws.objects.adopt(bucket, key, path)
        return found

    # -- the document --------------------------------------------------------------------------

    def _move(
        self, name: str, secondary: str, status: str | None = None, **members: object
    ) -> Json:
        """Enters a secondary status; `members` are written into the description."""
        with self._lock:
            document = find(self._aws, TRAINING_JOB, name)
            describe = document["describe"]
            # A stop that was asked for meanwhile stays visible.
            if not (describe["TrainingJobStatus"] == "Stopping" and status == "InProgress"):
                describe["TrainingJobStatus"] = status or describe["TrainingJobStatus"]
            enter(describe, secondary, self._aws.clock.now())
            describe.update(members)
            self._aws.documents.put(TRAINING_JOB, name, document)
            return describe

    def _end(
        self, name: str, status: str, secondary: str, reason: str | None = None, **members: object
    ) -> None:
        now = self._aws.clock.now()
        with self._lock:
            describe = find(self._aws, TRAINING_JOB, name)["describe"]
            began = describe.get("TrainingStartTime", now)
            members.setdefault("TrainingEndTime", now)
            seconds = max(1, round((now - began).total_seconds()))
            members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
            if reason is not None:
                members["FailureReason"] = reason[:FAILURE_CHARACTERS]
            self._move(name, secondary, status=status, **members)
        self._aws.signals.publish(JOB_ENDED, {"service": "sagemaker", "id": name})


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
    tail = f", exit code: {code}"
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
