"""The Step Functions API of this local AWS."""

from __future__ import annotations

import json
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.stepfunctions import map_runs_api, validation
from localaws.stepfunctions.activities import Activities
from localaws.stepfunctions.constraints import CheckedService
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.execution_logs import ExecutionLogs
from localaws.stepfunctions.executions import Executions
from localaws.stepfunctions.field_rules import Diagnostic
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.json_text import json_problem
from localaws.stepfunctions.machines import Machines
from localaws.stepfunctions.store import Store
from localaws.stepfunctions.trial import Trials

Json = dict[str, Any]


def service(aws: LocalAws) -> Service:
    store = Store(aws.home.file("stepfunctions.sqlite"))

    def supports(name: str, operation: str) -> bool:
        known = aws.gateway.services.get(name)
        return known is not None and operation in known.operations

    integrations = Integrations(aws.client, supports, store.claim)
    logs = ExecutionLogs(aws.client, aws.clock)
    engine = Engine(
        store, integrations, aws.signals, aws.clock, logs, region=aws.region, account=aws.account
    )
    machines = Machines(store, integrations, aws.region, aws.account)
    executions = Executions(store, engine, machines)

    made = CheckedService("stepfunctions")
    _machine_operations(made, machines, aws)
    _version_operations(made, machines, aws)
    _execution_operations(made, executions, aws)
    _activity_operations(made, Activities(store, engine, aws.region, aws.account), aws)
    map_runs_api.operations(made, store, engine, aws)
    _validation_operations(made, integrations)
    _trial_operation(made, Trials(integrations, engine.languages, aws.region, aws.account), aws)
    made.on_start(engine.start)

    def stop() -> None:
        engine.stop()
        store.close()

    made.on_stop(stop)
    return made


def _machine_operations(made: Service, machines: Machines, aws: LocalAws) -> None:
    @made.operation(
        "CreateStateMachine",
        "name",
        "definition",
        "roleArn",
        "type",
        "loggingConfiguration",
        "tags",
        "tracingConfiguration",
        "publish",
        "versionDescription",
    )
    def create(call: Call) -> Json:
        return machines.create(call.params, aws.clock.now())

    @made.operation(
        "UpdateStateMachine",
        "stateMachineArn",
        "definition",
        "roleArn",
        "loggingConfiguration",
        "tracingConfiguration",
        "publish",
        "versionDescription",
    )
    def update(call: Call) -> Json:
        return machines.update(call.params, aws.clock.now())

    @made.operation("DeleteStateMachine", "stateMachineArn")
    def delete(call: Call) -> Json:
        machines.delete(call.params["stateMachineArn"])
        return {}

    @made.operation("DescribeStateMachine", "stateMachineArn", "includedData")
    def describe(call: Call) -> Json:
        return machines.describe(call.params["stateMachineArn"])

    @made.operation("ListStateMachines", "maxResults", "nextToken")
    def list_machines(call: Call) -> Json:
        return machines.list_machines(call.params)

    @made.operation("TagResource", "resourceArn", "tags")
    def tag(call: Call) -> Json:
        machines.tag(call.params["resourceArn"], call.params["tags"])
        return {}

    @made.operation("UntagResource", "resourceArn", "tagKeys")
    def untag(call: Call) -> Json:
        machines.untag(call.params["resourceArn"], call.params["tagKeys"])
        return {}

    @made.operation("ListTagsForResource", "resourceArn")
    def list_tags(call: Call) -> Json:
        return {"tags": machines.tags(call.params["resourceArn"])}


def _version_operations(made: Service, machines: Machines, aws: LocalAws) -> None:
    @made.operation("PublishStateMachineVersion", "stateMachineArn", "revisionId", "description")
    def publish(call: Call) -> Json:
        return machines.publish(call.params, aws.clock.now())

    @made.operation("ListStateMachineVersions", "stateMachineArn", "nextToken", "maxResults")
    def list_versions(call: Call) -> Json:
        return machines.versions.page(call.params)

    @made.operation("DeleteStateMachineVersion", "stateMachineVersionArn")
    def delete_version(call: Call) -> Json:
        machines.versions.delete(call.params["stateMachineVersionArn"])
        return {}

    @made.operation("CreateStateMachineAlias", "name", "description", "routingConfiguration")
    def create_alias(call: Call) -> Json:
        return machines.aliases.create(call.params, aws.clock.now())

    @made.operation(
        "UpdateStateMachineAlias", "stateMachineAliasArn", "description", "routingConfiguration"
    )
    def update_alias(call: Call) -> Json:
        return machines.aliases.update(call.params, aws.clock.now())

    @made.operation("DeleteStateMachineAlias", "stateMachineAliasArn")
    def delete_alias(call: Call) -> Json:
        machines.aliases.delete(call.params["stateMachineAliasArn"])
        return {}

    @made.operation("DescribeStateMachineAlias", "stateMachineAliasArn")
    def describe_alias(call: Call) -> Json:
        return machines.aliases.describe(call.params["stateMachineAliasArn"])

    @made.operation("ListStateMachineAliases", "stateMachineArn", "nextToken", "maxResults")
    def list_aliases(call: Call) -> Json:
        return machines.aliases.page(call.params)


def _execution_operations(made: Service, executions: Executions, aws: LocalAws) -> None:
    @made.operation("StartExecution", "stateMachineArn", "name", "input", "traceHeader")
    def start(call: Call) -> Json:
        return executions.start(call.params, aws.clock.now())

    @made.operation("StartSyncExecution", "stateMachineArn", "name", "input", "traceHeader")
    def start_synchronous(call: Call) -> Json:
        executions.refuse_synchronous(call.params["stateMachineArn"])
        return {}

    @made.operation("StopExecution", "executionArn", "error", "cause")
    def stop(call: Call) -> Json:
        return executions.stop(call.params)

    @made.operation("RedriveExecution", "executionArn", "clientToken")
    def redrive(call: Call) -> Json:
        return executions.redrive(call.params, aws.clock.now())

    @made.operation("DescribeExecution", "executionArn", "includedData")
    def describe(call: Call) -> Json:
        return executions.describe(call.params)

    @made.operation("DescribeStateMachineForExecution", "executionArn", "includedData")
    def describe_machine(call: Call) -> Json:
        return executions.describe_machine(call.params)

    @made.operation(
        "ListExecutions",
        "stateMachineArn",
        "statusFilter",
        "maxResults",
        "nextToken",
        "mapRunArn",
        "redriveFilter",
    )
    def list_executions(call: Call) -> Json:
        return executions.list_executions(call.params)

    @made.operation(
        "GetExecutionHistory",
        "executionArn",
        "maxResults",
        "reverseOrder",
        "nextToken",
        "includeExecutionData",
    )
    def history(call: Call) -> Json:
        executions.wait_for_news(call.params["executionArn"], call.headers)
        return executions.history(call.params)

    @made.operation("SendTaskSuccess", "taskToken", "output")
    def success(call: Call) -> Json:
        output = call.params["output"]
        try:
            json.loads(output)
        except ValueError as error:
            raise AwsError(
                "InvalidOutput",
                f"Invalid Output: '{json_problem(output, error)}'",
            ) from error
        executions.settle(call.params["taskToken"], {"output": output})
        return {}

    @made.operation("SendTaskFailure", "taskToken", "error", "cause")
    def failure(call: Call) -> Json:
        outcome = {"error": call.params.get("error"), "cause": call.params.get("cause")}
        executions.settle(call.params["taskToken"], outcome)
        return {}

    @made.operation("SendTaskHeartbeat", "taskToken")
    def heartbeat(call: Call) -> Json:
        executions.heartbeat(call.params["taskToken"])
        return {}


def _activity_operations(made: Service, activities: Activities, aws: LocalAws) -> None:
    @made.operation("CreateActivity", "name", "tags")
    def create(call: Call) -> Json:
        return activities.create(call.params, aws.clock.now())

    @made.operation("DescribeActivity", "activityArn")
    def describe(call: Call) -> Json:
        return activities.describe(call.params["activityArn"])

    @made.operation("DeleteActivity", "activityArn")
    def delete(call: Call) -> Json:
        activities.delete(call.params["activityArn"])
        return {}

    @made.operation("ListActivities", "maxResults", "nextToken")
    def list_activities(call: Call) -> Json:
        return activities.page(call.params)

    @made.operation("GetActivityTask", "activityArn", "workerName")
    def task(call: Call) -> Json:
        return activities.task(call.params["activityArn"], call.params.get("workerName"))


def _trial_operation(made: Service, trials: Trials, aws: LocalAws) -> None:
    @made.operation(
        "TestState",
        "definition",
        "roleArn",
        "input",
        "inspectionLevel",
        "revealSecrets",
        "variables",
        "stateName",
        "mock.result",
        "mock.errorOutput",
        "mock.fieldValidationMode",
        "context",
        "stateConfiguration",
    )
    def test_state(call: Call) -> Json:
        return trials.run(call.params, aws.clock.now())


def _validation_operations(made: Service, integrations: Integrations) -> None:
    @made.operation(
        "ValidateStateMachineDefinition", "definition", "type", "severity", "maxResults"
    )
    def validate(call: Call) -> Json:
        params = call.params
        try:
            found = validation.diagnose(
                params["definition"], integrations.check_resource, params.get("type", "STANDARD")
            )
        except NotEmulated as error:
            found = [Diagnostic(error.message, None, code="NOT_EMULATED")]
        if params.get("severity", "ERROR") == "ERROR":
            found = [item for item in found if item.severity == "ERROR"]
        most = params.get("maxResults") or 100
        shown = [
            {
                "severity": item.severity,
                "code": item.code,
                "message": item.message,
                **({"location": item.location} if item.location else {}),
            }
            for item in found[:most]
        ]
        failed = any(item.severity == "ERROR" for item in found)
        return {
            "result": "FAIL" if failed else "OK",
            "diagnostics": shown,
            "truncated": len(found) > most,
        }
