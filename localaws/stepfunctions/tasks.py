"""The life of a Task: scheduled, started, submitted, ended; with timeout, heartbeat and token."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import injection, payload
from localaws.stepfunctions.errors import NOT_EMULATED, TIMEOUT, StateError, runtime_error
from localaws.stepfunctions.frames import SCHEDULED, STARTED, SUBMITTED, Frame
from localaws.stepfunctions.integrations.resources import SYNC, SYNC_JSON, TOKEN, Resource
from localaws.stepfunctions.integrations.runtime import Answer, Integrations, TaskCall
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.resources import ACTIVITY
from localaws.stepfunctions.run import Kind, Run

POLL_SECONDS = 1.0  # the fallback where no signal tells that a job ended
MAX_POLL_SECONDS = 5.0


def resource_of(frame: Frame) -> Resource:
    return Resource.parse(frame.state.body["Resource"])


def schedule(run: Run, frame: Frame) -> None:
    """Evaluates and checks the arguments, and writes TaskScheduled."""
    resource = resource_of(frame)
    frame.attempt += 1
    frame.due = None
    if resource.is_activity and run.host.resources.get(ACTIVITY, resource.arn) is None:
        raise runtime_error(f"The activity {resource.arn} does not exist.")
    answered_by_token = resource.is_activity or resource.pattern == TOKEN
    ended_by_token = resource.pattern in (SYNC, SYNC_JSON) and frame.state.reads_token
    frame.token = new_token() if answered_by_token or ended_by_token else None
    scope, language = run.scope(frame), run.language(frame)
    arguments = language.arguments(scope)
    timeout = language.number(scope, "TimeoutSeconds")
    heartbeat = language.number(scope, "HeartbeatSeconds")
    frame.role = role(language, scope, run.host.account)
    credentials = None if frame.role is None else {"roleArn": frame.role}
    run.integrations.check_arguments(resource, arguments)
    text = payload.check_size(payload.dumps(arguments), frame.state.name)
    seconds = {
        "timeoutInSeconds": None if timeout is None else int(timeout),
        "heartbeatInSeconds": None if heartbeat is None else int(heartbeat),
    }
    if resource.is_function:
        frame.last = run.event(
            "LambdaFunctionScheduled",
            frame.last,
            "lambdaFunctionScheduledEventDetails",
            resource=resource.arn,
            input=text,
            inputDetails={"truncated": False},
            timeoutInSeconds=seconds["timeoutInSeconds"],
            taskCredentials=credentials,
        )
    elif resource.is_activity:
        frame.last = run.event(
            "ActivityScheduled",
            frame.last,
            "activityScheduledEventDetails",
            resource=resource.arn,
            input=text,
            inputDetails={"truncated": False},
            **seconds,
        )
    else:
        frame.last = run.event(
            "TaskScheduled",
            frame.last,
            "taskScheduledEventDetails",
            **resource.details(),
            region=run.host.region,
            parameters=text,
            **seconds,
            taskCredentials=credentials,
        )
    now = frame.scheduled_time = run.host.now()
    frame.heartbeat_seconds = heartbeat
    if not resource.is_activity:  # an activity's are counted from when a worker takes it
        frame.deadline = None if timeout is None else now + timeout
        frame.beat = None if heartbeat is None or not answered_by_token else now + heartbeat
    if frame.token is not None:
        run.changes.tokens.append((frame.token, frame.id))
    frame.moved(SCHEDULED)
    run.save(frame)
    run.soon(frame, lambda run_, f: begin(run_, f, arguments))


def role(language: Language, scope: Scope, account: str) -> str | None:
    """The role that the task takes on, by its Credentials. One of another account would need a
    second account, and a local AWS holds one."""
    if "Credentials" not in scope.state.body:
        return None
    arn = str(language.template(scope, scope.state.body["Credentials"])["RoleArn"])
    if account not in arn.split(":"):
        raise StateError(
            NOT_EMULATED, f"localaws has the account {account} only, not that of {arn}."
        )
    return arn


def _integrations(run: Run, frame: Frame) -> Integrations:
    """What makes the task's calls: the machine's role, or that of the task's Credentials."""
    if frame.role is None:
        return run.integrations
    return run.integrations.assumed(frame.role, run.execution.arn)


def new_token() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(96)).decode()


def begin(run: Run, frame: Frame, arguments: Any) -> None:
    """Writes TaskStarted and, once that is committed, makes the call; an activity's task is
    offered to workers."""
    resource = resource_of(frame)
    if resource.is_activity:
        epoch = frame.epoch

        def take(worker: str | None) -> Json | None:
            if not run.active or frame.epoch != epoch or frame.id not in run.frames:
                return None
            return {"taskToken": frame.token, "input": taken(run, frame, worker)}

        run.host.offer(resource.arn, take)
        run.save(frame)  # the commit tells those who wait for an offer
        return
    if resource.is_function:
        frame.last = run.event("LambdaFunctionStarted", frame.last)
    else:
        frame.last = run.event(
            "TaskStarted", frame.last, "taskStartedEventDetails", **resource.details()
        )
    frame.moved(STARTED)
    run.save(frame)
    call(run, frame, arguments, again=False)


def taken(run: Run, frame: Frame, worker: str | None) -> str:
    """A worker has the task now: it waits for its token. The task's input, as JSON."""
    number = frame.last
    scheduled = run.host.journal.events(run.execution.id, first=number, last=number)[0]
    details = json.loads(scheduled.details or "{}")["activityScheduledEventDetails"]
    frame.last = run.event(
        "ActivityStarted", frame.last, "activityStartedEventDetails", workerName=worker
    )
    now = run.host.now()
    timeout, heartbeat = details.get("timeoutInSeconds"), details.get("heartbeatInSeconds")
    frame.deadline = None if timeout is None else now + timeout
    frame.beat = None if heartbeat is None else now + heartbeat
    frame.moved(SUBMITTED)
    run.save(frame)
    arm(run, frame)
    text: str = details["input"]
    return text


def call(run: Run, frame: Frame, arguments: Any, *, again: bool) -> None:
    """Makes the call. `again`: a restart cannot know whether it had been made before."""
    resource = resource_of(frame)
    task = TaskCall(
        resource=resource,
        arguments=arguments,
        client_token=client_token(run, frame),
        execution_arn=run.execution.arn,
        machine_arn=run.execution.machine_arn,
        since=frame.scheduled_time,
        state=frame.state.name,
        again=again,
        role=frame.role,
    )
    integrations = _integrations(run, frame)

    def cancel_late(answer: Answer) -> None:
        if answer.job is not None:
            integrations.cancel(resource, answer.job)

    arm(run, frame)
    injected = injection.of_attempt(run.execution.about, frame.state.name, frame.attempt)
    if injected is not None and injected.timeout:
        run.soon(frame, time_out)
        return
    delay_seconds = 0.0 if injected is None else injected.delay_seconds * run.host.wait_scale

    def start() -> Answer:
        time.sleep(delay_seconds)
        if injected is not None and injected.error is not None:
            raise injected.failure()
        if injected is not None and injected.malformed:
            return Answer(injection.MALFORMED, final=True)
        return run.integrations.start(task)

    run.work(frame, start, answered, late=cancel_late)


def client_token(run: Run, frame: Frame) -> str:
    """The same for the same attempt of the same visit, whatever happens in between."""
    text = f"{run.execution.arn}/{frame.id}/{frame.entered}/{frame.attempt}"
    return hashlib.sha256(text.encode()).hexdigest()


def answered(run: Run, frame: Frame, answer: Answer | StateError) -> None:
    """The call came back: the task is done, or its job runs, or its token is awaited."""
    resource = resource_of(frame)
    if isinstance(answer, StateError):
        failed(run, frame, answer)
    if not isinstance(answer, Answer):
        return
    if answer.final or (answer.job is None and frame.token is None):
        succeeded(run, frame, answer.output)
        return
    frame.last = run.event(
        "TaskSubmitted",
        frame.last,
        "taskSubmittedEventDetails",
        **resource.details(),
        output=payload.dumps(answer.output),
        outputDetails={"truncated": False},
    )
    frame.job = answer.job
    frame.moved(SUBMITTED)
    run.save(frame)
    attend(run, frame)


def attend(run: Run, frame: Frame) -> None:
    """Waits for the job's end or for the token's answer."""
    arm(run, frame)
    if frame.job is not None:
        watched = str(frame.job.get("id"))
        run.host.watch(resource_of(frame).service, watched, lambda: _wake(run, frame))
        run.at(run.host.now() + POLL_SECONDS, frame, _poll_on(POLL_SECONDS))
    if frame.token is not None:
        known = run.host.journal.token(frame.token)
        if known is not None and known[2] is not None:
            run.soon(frame, token_settled)


def _wake(run: Run, frame: Frame) -> None:
    if run.active and frame.id in run.frames:
        poll(run, frame)


def _poll_on(waited: float) -> Any:
    def poll_again(run: Run, frame: Frame) -> None:
        poll(run, frame)
        longer = min(waited * 1.5, MAX_POLL_SECONDS)
        run.at(run.host.now() + longer, frame, _poll_on(longer))

    return poll_again


def poll(run: Run, frame: Frame) -> None:
    """Asks for the job's state; called by its end's signal, and now and then."""
    resource, job = resource_of(frame), frame.job
    if job is not None:
        integrations = _integrations(run, frame)
        run.work(frame, lambda: integrations.poll(resource, job), polled)


def polled(run: Run, frame: Frame, answer: Answer | StateError | None) -> None:
    if isinstance(answer, StateError):
        frame.job = None
        failed(run, frame, answer)
    elif answer is not None:
        frame.job = None
        succeeded(run, frame, answer.output)


def token_settled(run: Run, frame: Frame) -> None:
    """SendTaskSuccess or SendTaskFailure has come; before TaskSubmitted it is kept until then."""
    if frame.token is None or frame.phase != SUBMITTED:
        return
    known = run.host.journal.token(frame.token)
    outcome = None if known is None else known[2]
    if outcome is None:
        return
    if "output" in outcome:
        succeeded(run, frame, json.loads(outcome["output"]))
    else:
        failed(run, frame, StateError(outcome["error"], outcome["cause"], from_task=True))


def succeeded(run: Run, frame: Frame, output: Any) -> None:
    resource = resource_of(frame)
    try:
        text = payload.check_size(payload.dumps(output), resource.label, from_task=True)
    except StateError as failure:
        failed(run, frame, failure)
        return
    result = {"output": text, "outputDetails": {"truncated": False}}
    _ended(run, frame, "Succeeded", **result)
    frame.deadline = frame.beat = frame.token = frame.job = None
    run.finish(frame, output)


def failed(run: Run, frame: Frame, failure: StateError) -> None:
    """Writes the task's failure, then lets the state fail with it (raises StateError)."""
    failure.from_task = True
    _ended(run, frame, "Failed", error=failure.error, cause=failure.cause)
    frame.deadline = frame.beat = None
    raise failure


def _ended(run: Run, frame: Frame, what: str, **details: Any) -> None:
    """Writes the event of the task's end, named by the kind of its Resource."""
    resource = resource_of(frame)
    kind = "Activity" if resource.is_activity else "Task"
    kind = "LambdaFunction" if resource.is_function else kind
    shown = resource.details() if kind == "Task" else {}
    member = f"{kind[:1].lower()}{kind[1:]}{what}EventDetails"
    frame.last = run.event(f"{kind}{what}", frame.last, member, **shown, **details)


def arm(run: Run, frame: Frame) -> None:
    """Sets the timers of the frame's present phase."""
    for due in (frame.deadline, frame.beat):
        if due is not None:
            run.at(due, frame, overdue)


def overdue(run: Run, _frame: Frame) -> None:
    """A timeout or a heartbeat has passed. Every task of the execution that is late by now has
    timed out, before the first failure aborts others."""
    now = run.host.now()
    late = [
        (frame, failure)
        for frame in run.frames.values()
        if (failure := _lateness(frame, now)) is not None
    ]
    for frame, _ in late:
        _end_timed_out(run, frame)
    for frame, failure in late:
        if run.active and frame.id in run.frames:
            run.fail(frame, failure)


def _lateness(frame: Frame, now: float) -> StateError | None:
    if frame.state.type != "Task" or frame.phase not in (STARTED, SUBMITTED):
        return None
    late = frame.deadline is not None and now >= frame.deadline
    silent = frame.beat is not None and now >= frame.beat
    if not (late or silent):
        return None
    return StateError(TIMEOUT, None, heartbeat=silent and not late, from_task=True)


def time_out(run: Run, frame: Frame) -> None:
    """Stops the job; the state fails with States.Timeout."""
    _end_timed_out(run, frame)
    raise StateError(TIMEOUT, None, from_task=True)


def _end_timed_out(run: Run, frame: Frame) -> None:
    cancel(run, frame)
    _ended(run, frame, "TimedOut", error=TIMEOUT)
    frame.deadline = frame.beat = frame.token = frame.job = None


def heartbeat(run: Run, frame: Frame) -> None:
    """SendTaskHeartbeat: the silence is counted anew."""
    if frame.heartbeat_seconds is not None:
        frame.beat = run.host.now() + frame.heartbeat_seconds
        run.save(frame)
        run.at(frame.beat, frame, overdue)


def cancel(run: Run, frame: Frame) -> None:
    """Stops the frame's job on a worker, once this step is committed."""
    if frame.state.type != "Task" or frame.job is None:
        return
    resource, job = resource_of(frame), frame.job
    frame.job = None
    integrations = _integrations(run, frame)
    run.work_apart(lambda: integrations.cancel(resource, job))


KIND = Kind(schedule, cancel=cancel)
