"""Doing a Task: making its call, following its job, stopping it. Blocking; runs on workers."""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from localaws.errors import NotEmulated
from localaws.identity.actions.asked import Asked
from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.errors import NOT_EMULATED, TASK_FAILED, StateError, runtime_error
from localaws.stepfunctions.integrations import failures, http_tasks, jobs, models
from localaws.stepfunctions.integrations.http_connections import Caller
from localaws.stepfunctions.integrations.resources import (
    REFUSED,
    SYNC_JSON,
    TOKEN,
    Resource,
    ResourceError,
)
from localaws.stepfunctions.integrations.shapes import (
    null_members,
    parse_json,
    sdk_metadata,
    to_output,
    to_request,
)
from localaws.stepfunctions.payload import dumps

# Create calls that a repetition would refuse: how to see what the first one made.
CREATIONS = {
    ("sagemaker", "createModel"): ("describe_model", "ModelName", "ModelArn"),
    ("sagemaker", "createEndpointConfig"): (
        "describe_endpoint_config",
        "EndpointConfigName",
        "EndpointConfigArn",
    ),
    ("sagemaker", "createEndpoint"): ("describe_endpoint", "EndpointName", "EndpointArn"),
}
# The member of a start call's answer that holds the job's id.
JOB_IDS = {
    "glue": "JobRunId",
    "databrew": "RunId",
    "athena": "QueryExecutionId",
    "states": "ExecutionArn",
}


@dataclass(frozen=True)
class TaskCall:
    """One attempt of a Task. `since`: epoch seconds when it was scheduled; `again`: a
    restart cannot know whether the call had been made; `role`: that of its Credentials."""

    resource: Resource
    arguments: Any
    client_token: str
    execution_arn: str
    machine_arn: str
    since: float
    state: str = ""
    again: bool = False
    role: str | None = None


@dataclass(frozen=True)
class Answer:
    """The call's output; `job` is the handle of what still runs (`.sync`). `final`: the output is
    the task's, even where a job or a token would have to end it."""

    output: Any
    job: Json | None = None
    final: bool = False


SESSION_SECONDS = 900  # the shortest session of a role that STS gives

Clients = Callable[[str], Any]
Ask = Callable[[Asked], None]  # raises AwsError where the action is not allowed


@dataclass(frozen=True)
class Acting:
    """What a role gives its Tasks: `client(service)` makes its calls, `ask` asks whether it may
    do what no call of an API is."""

    client: Clients
    ask: Ask


AsRole = Callable[[str, str, str | None], Acting]


class Integrations:
    """The Tasks of one local AWS. `client(service)` gives a boto3 client; `supports(service,
    operation)` tells whether localaws has that operation; `claim(job, owner)` whether the job is
    that call's own or becomes it; `as_role(role ARN, session, state machine)` gives what a role
    may use that Step Functions assumes for the machine, or, for None, STS has given."""

    def __init__(
        self,
        client: Callable[[str], Any],
        supports: Callable[[str, str], bool] = lambda *_: True,
        claim: Callable[[str, str], bool] = lambda *_: True,
        as_role: AsRole | None = None,
    ) -> None:
        self.client = client
        self._role_arn = ""
        self._ask: Ask = lambda _: None
        self._as_role = as_role
        self._supports = supports
        self._claim = claim

    def acting(self, role_arn: str | None, execution_arn: str) -> Integrations:
        """These Tasks as an execution makes them: with the role of its state machine."""
        if role_arn is None:
            return self
        return self._as(role_arn, execution_arn, machine_of(execution_arn))

    def assumed(self, role_arn: str, execution_arn: str) -> Integrations:
        """These Tasks with the role of a Task's Credentials, which trusts the machine's role and
        not Step Functions."""
        return self._as(role_arn, execution_arn, None)

    def _as(self, role_arn: str, execution_arn: str, machine_arn: str | None) -> Integrations:
        if self._as_role is None:
            return self
        as_role = copy.copy(self)
        as_role._role_arn = role_arn
        acting = self._as_role(role_arn, session_name(execution_arn), machine_arn)
        as_role.client, as_role._ask = acting.client, acting.ask
        return as_role

    def _check_assumable(self, role_arn: str, execution_arn: str) -> None:
        """Asks STS, as the machine's role, for a session of the role in a Task's Credentials.
        Raises States.TaskFailed where it may not have one, in AWS's words."""
        try:
            self.client("sts").assume_role(
                RoleArn=role_arn,
                RoleSessionName=session_name(execution_arn),
                DurationSeconds=SESSION_SECONDS,
            )
        except (ClientError, BotoCoreError) as error:
            raise StateError(
                TASK_FAILED,
                f"The role {self._role_arn} is not authorized to assume the task state's role,"
                f" {role_arn}.",
                from_task=True,
            ) from error

    # --- checks ------------------------------------------------------------------------------

    def check_resource(self, resource: Resource) -> None:
        """Raises ResourceError for what AWS lacks, NotEmulated for what only localaws lacks."""
        if resource.is_activity or resource.is_http:
            return
        if not resource.sdk and resource.service in REFUSED:
            raise NotEmulated("stepfunctions", "CreateStateMachine", f"Resource {resource.arn}")
        service = models.botocore_name(resource.service)
        operation = models.operation_model(service, resource.operation) if service else None
        if service is None or operation is None:
            raise ResourceError(resource.arn)
        if not self._supports(service, operation.name):
            raise NotEmulated(service, operation.name, detail=f"(Resource {resource.arn})")
        if resource.pattern.startswith("sync") and _job_kind(resource) is None:
            raise NotEmulated(service, operation.name, detail=f"(Resource {resource.arn})")

    def check_arguments(self, resource: Resource, arguments: Any) -> None:
        """Raises States.Runtime when the API would not take the arguments."""
        if resource.is_function or resource.is_activity:
            return
        if resource.is_http:
            found = list(http_tasks.problems(resource, arguments))
        else:
            found = to_request(self._operation(resource).input_shape, arguments)[1]
        if found:
            raise runtime_error(
                f"The Parameters '{dumps(arguments)}' could not be used to start the Task:"
                f" [{', '.join(found)}]"
            )

    def _service(self, resource: Resource) -> str:
        service = models.botocore_name(resource.service)
        if service is None:
            raise StateError(NOT_EMULATED, f"localaws has no service {resource.service!r}.")
        return service

    def _operation(self, resource: Resource) -> Any:
        operation = models.operation_model(self._service(resource), resource.operation)
        if operation is None:
            raise StateError(NOT_EMULATED, f"localaws has no operation {resource.arn}.")
        return operation

    # --- work --------------------------------------------------------------------------------

    def start(self, task: TaskCall) -> Answer:
        """Makes the call. Raises StateError with the service's error."""
        if task.role is not None:
            self._check_assumable(task.role, task.execution_arn)
            return self.assumed(task.role, task.execution_arn)._start(task)
        return self._start(task)

    def _start(self, task: TaskCall) -> Answer:
        resource = task.resource
        if resource.service == "lambda" and not resource.sdk:
            return Answer(self._invoke(task))
        if resource.is_http:
            caller = Caller(self.client, self._ask, task.machine_arn)
            return Answer(http_tasks.invoke(resource, task.arguments, caller))
        params = to_request(self._operation(resource).input_shape, task.arguments)[0]
        _complete(resource, params, task)
        service = self._service(resource)
        for name in null_members(self._operation(resource).input_shape, task.arguments):
            raise failures.null_member(resource, service, name)
        if service == "sqs" and (host := _no_host(str(params.get("QueueUrl", "")))) is not None:
            raise failures.unreachable(resource, service, host)
        kind = _job_kind(resource) if resource.pattern.startswith("sync") else None
        client = self.client(service)
        if task.again and (found := self._found(client, resource, params, task)):
            job = found if resource.pattern.startswith("sync") else None
            return Answer(_start_output(resource, params, found), job)
        try:
            response = self._call(resource, params)
        except StateError:
            made = self._made_before(client, resource, params, task) if task.again else None
            if made is None:
                raise
            response = made
        if resource.sdk:
            shape = self._operation(resource).output_shape
            output = to_output(shape, _plain(response), milliseconds=False)
            return Answer({} if output is None else output)
        output = self._optimised_output(resource, params, response)
        if output.get("FailedEntryCount"):
            raise StateError("EventBridge.FailedEntry", dumps(output), from_task=True)
        begun = _job_kind(resource)
        if begun is not None and begun.nameless:
            self._is_own(begun, begun.handle(params, response), task)
        return Answer(output, kind.handle(params, response) if kind else None)

    def _found(self, client: Any, resource: Resource, params: Json, task: TaskCall) -> Json | None:
        """The handle of a job that this call, or one equal to it, began before a restart."""
        kind = _job_kind(resource)
        if kind is None:
            return None
        found = kind.find(client, params, timestamps.from_epoch(task.since))
        return next((job for job in found if self._is_own(kind, job, task)), None)

    def _is_own(self, kind: jobs.JobKind, job: Json, task: TaskCall) -> bool:
        """Each job is one call's: equal calls of the same moment do not take the same one."""
        name = f"{kind.service}/{job.get('name', '')}/{job['id']}"
        return not kind.nameless or self._claim(name, task.client_token)

    def _made_before(
        self, client: Any, resource: Resource, params: Json, task: TaskCall
    ) -> Json | None:
        """The answer of a create call that was made before a restart: what it made is there, and
        younger than the state's entry. A true duplicate is older and stays an error."""
        named = CREATIONS.get((resource.service, resource.action))
        if named is None:
            return None
        describe, name, arn = named
        try:
            found = getattr(client, describe)(**{name: params[name]})
        except (ClientError, BotoCoreError):
            return None
        if found["CreationTime"] < timestamps.from_epoch(task.since):
            return None
        return {arn: found[arn], "ResponseMetadata": found["ResponseMetadata"]}

    def poll(self, resource: Resource, job: Json) -> Answer | None:
        """None while the job runs. Raises States.TaskFailed, its Cause the described job."""
        kind = _job_kind(resource)
        if kind is None:
            raise StateError(NOT_EMULATED, f"{resource.arn} has no job to wait for.")
        try:
            response = kind.describe(self.client(self._service(resource)), job)
        except (ClientError, BotoCoreError) as error:
            raise failures.from_error(resource, self._service(resource), error) from error
        status = kind.status(response)
        if status in kind.running:
            return None
        output = kind.output(_plain(response))
        if status not in kind.succeeded:
            raise StateError(TASK_FAILED, dumps(output), from_task=True)
        if resource.pattern == SYNC_JSON:
            output = jobs.json_execution_output(output)
        return Answer(output)

    def cancel(self, resource: Resource, job: Json) -> None:
        """Stops the job as well as possible; it may have ended by itself meanwhile."""
        kind = _job_kind(resource)
        if kind is None:
            return
        try:
            kind.stop(self.client(self._service(resource)), job)
        except (ClientError, BotoCoreError):
            return

    def _call(self, resource: Resource, params: Json) -> Json:
        service = self._service(resource)
        method = getattr(self.client(service), xform_name(self._operation(resource).name))
        try:
            response: Json = method(**params)
        except (ClientError, BotoCoreError) as error:
            raise failures.from_error(resource, service, error) from error
        if service == "dynamodb" and "ReturnConsumedCapacity" not in params:
            response.pop("ConsumedCapacity", None)  # moto tells it unasked
        return response

    def _optimised_output(self, resource: Resource, params: Json, response: Json) -> Json:
        shape = self._operation(resource).output_shape
        output = to_output(shape, _plain(response), milliseconds=True) or {}
        if resource.service == "events":
            return dict(sorted(output.items()))
        if resource.service == "glue":
            output["JobName"] = params["JobName"]
        if resource.service == "states":
            output["StartDate"] = output.get("StartDate")
        return dict(sorted({**output, **sdk_metadata(response)}.items()))

    def _invoke(self, task: TaskCall) -> Any:
        """Lambda, by either kind of Resource; a function's own exception becomes the error."""
        resource, arguments = task.resource, task.arguments
        if resource.is_function:
            params = {"FunctionName": resource.arn, "Payload": dumps(arguments).encode()}
        else:
            params = to_request(self._operation(resource).input_shape, arguments)[0]
            payload = arguments.get("Payload")
            if payload is not None:  # a text is sent as it is: it is the JSON
                text = payload if isinstance(payload, str) else dumps(payload)
                params["Payload"] = text.encode()
        response = self._call(resource, params)
        text = response["Payload"].read().decode() if "Payload" in response else ""
        if response.get("FunctionError"):
            raise _function_error(text, raw=resource.is_function)
        payload = parse_json(text) if text else None
        if resource.is_function:
            return payload
        output = {
            "ExecutedVersion": response.get("ExecutedVersion", "$LATEST"),
            **({"LogResult": response["LogResult"]} if "LogResult" in response else {}),
            "Payload": payload,
            "StatusCode": response.get("StatusCode", 200),
            **sdk_metadata(response),
        }
        return dict(sorted(output.items()))


def machine_of(execution_arn: str) -> str | None:
    """The ARN of the execution's state machine; None for what is no execution's."""
    parts = execution_arn.split(":")
    if len(parts) < 7:
        return None
    return ":".join([*parts[:5], "stateMachine", parts[6].partition("/")[0]])


def session_name(execution_arn: str) -> str:
    """32 letters, as Step Functions names its sessions; an execution's are always the same."""
    digest = hashlib.sha256(execution_arn.encode()).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest)


def _function_error(text: str, *, raw: bool) -> StateError:
    """The function's own exception. Its Cause is the answer as it came (`raw`, where the Resource
    is the function) or written anew without spaces (`lambda:invoke`), as AWS has it."""
    body = parse_json(text)
    if not isinstance(body, dict) or "errorType" not in body:
        return StateError(
            "Lambda.Unknown",
            "The cause could not be determined because Lambda did not return an error type."
            f" Returned payload: {text}",
            from_task=True,
        )
    cause = text if raw else dumps(body)
    return StateError(str(body["errorType"]), cause, from_task=True)


def _plain(response: Json) -> Json:
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}


def _job_kind(resource: Resource) -> jobs.JobKind | None:
    return None if resource.sdk else jobs.KINDS.get((resource.service, resource.action))


def _complete(resource: Resource, params: Json, task: TaskCall) -> None:
    """Adds what Step Functions adds to a request: the token by which the service recognises a
    repetition, where it has one; who sends an event; what the SDK sends with an object."""
    if resource.service == "events" and resource.action == "putEvents" and not resource.sdk:
        origin = [task.machine_arn, task.execution_arn]
        for entry in params.get("Entries", []):
            entry["Resources"] = [*entry.get("Resources", []), *origin]
    if resource.service == "s3" and resource.action == "putObject" and "Body" in params:
        params.setdefault("ContentType", "text/plain; charset=UTF-8")
        params.setdefault("ChecksumAlgorithm", "CRC32")
    if resource.service == "athena" and resource.action == "startQueryExecution":
        params.setdefault("ClientRequestToken", task.client_token)
    if resource.service == "states" and resource.action == "startExecution" and not resource.sdk:
        name = str(uuid.UUID(task.client_token[:32]))
        params.setdefault("name", name)
        if resource.pattern == TOKEN:
            params.setdefault("input", "{}")


def _no_host(url: str) -> str | None:
    """The host of a queue's URL, where there is none of that name: neither AWS's nor ours."""
    host = urlsplit(url).hostname if "://" in url else url
    known = not host or host.endswith((".amazonaws.com", "localhost")) or host == "127.0.0.1"
    return None if known else host


def _start_output(resource: Resource, params: Json, job: Json) -> Json:
    """The output of TaskSubmitted where the start itself was not seen, only what it began."""
    output = {"JobName": params["JobName"]} if "JobName" in params else {}
    if resource.service in JOB_IDS:
        output[JOB_IDS[resource.service]] = job["id"]
    return dict(sorted({**output, **sdk_metadata({})}.items()))
