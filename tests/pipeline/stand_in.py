"""The deployed workflow with a stand-in behind every state that does real work.

The states, what they select, catch and hand on, and the engine that runs them are the real ones;
only the services' answers are canned, so that a fault can be put into each state in turn, in
seconds. Four functions, which are quick, are the real ones behind it.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from typing import Any

from tasks.states import every_state
from tests.pipeline.stack import Json, Stack

FUNCTION = "stand-in"
CODE = """
import json
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    key = f"faults/{event['execution']}/{event['state']}.json"
    try:
        fault = json.loads(s3.get_object(Bucket=event["bucket"], Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        fault = None
    if fault is not None:
        raise type(fault["error"], (Exception,), {})(fault["cause"])
    if event["answer"] is not None:
        return event["answer"]
    answer = boto3.client("lambda").invoke(
        FunctionName=event["request"]["FunctionName"],
        Payload=json.dumps(event["request"]["Payload"]),
    )
    body = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise type(body["errorType"], (Exception,), {})(body["errorMessage"])
    return body
"""

QUERY = {
    "QueryExecution": {
        "QueryExecutionId": "q-1",
        "Statistics": {"DataScannedInBytes": 1, "TotalExecutionTimeInMillis": 2},
    }
}
# What each service answers. None: the real function does.
ANSWERS: dict[str, Any] = {
    "Receive trigger": None,
    "Crawl raw data": {"finished": True},
    "Plan mapping": None,  # its answer has no statements, so none runs
    "Check raw data": {"checks": ["all"], "rows": {}, "scanned_bytes": 1},
    "Look at raw files again": {
        "rows": {},
        "profiles": [{"name": "orders", "job": "profile-orders", "run": "r"}],
    },
    "Profile table": {"RunId": "db_4", "Outputs": [{"Location": {"Key": "profile.json"}}]},
    "Judge profile": {
        **{"name": "orders", "job_run_id": "db_4", "uri": "s3://LAKE/profile.json"},
        **{"rows": 1, "columns": 1, "duplicate_rows": 0, "rules": []},
        **{"compared_with": None, "drift": []},
    },
    "Make the cleaning job": {"Name": "orders"},
    "Make the job for product features": {"Name": "products"},
    "Make the dataset of prior lines": {"Name": "prior"},
    "Clean table": {"RunId": "db_1", "Outputs": []},
    "Compute product features": {"RunId": "db_3", "Outputs": []},
    "Join features": {"Id": "jr_1", "ExecutionTime": 3},
    "Tune": {},  # is not entered: nobody asks for trials
    "Pin live model": None,
    "Train": {
        "TrainingJobName": "rebuy-x",
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://LAKE/models/none/model.tar.gz"},
    },
    "Judge model": {"publish": True, "reason": "better", "challenger": {}, "champion": None},
    "Create model": {"ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/x"},
    "Create endpoint config": {"EndpointConfigArn": "arn:aws:sagemaker:::endpoint-config/x"},
    "Put model live": {
        **{"settled": True, "wait_seconds": 0, "asked": True},
        **{"rolling_back": False, "redrive_count": 0, "began_at": "2026-11-22T08:00:00Z"},
    },
    "Smoke test": {"rows": 5, "largest_difference": 0.0},
    "Roll back": None,
    "Write audit record": None,
}


def deploy(stack: Stack) -> str:
    """The state machine's ARN."""
    client = stack.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("stand_in.py", CODE)
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName=FUNCTION)  # of an earlier session of the same home
    stand_in = client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Handler="stand_in.handler",
        Role=role(stack),
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )["FunctionArn"]
    machine = stack.outputs["StateMachineArn"]
    text = stack.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    definition = json.loads(text["definition"])
    replace(definition["States"], stand_in, stack.lake)
    return stack.create(
        json.loads(json.dumps(definition).replace("s3://LAKE/", f"s3://{stack.lake}/"))
    )


def role(stack: Stack) -> str:
    """The stand-in's own: it reads faults, and asks the real functions. The workflow's role, which
    knows the deployed functions alone, may invoke it."""
    iam = stack.client("iam")

    def allow(name: str, *allowed: tuple[str, str]) -> None:
        statements = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName=FUNCTION, PolicyDocument=policy)

    machine = stack.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack.outputs["StateMachineArn"]
    )
    functions = "arn:aws:lambda:*:*:function:"
    allow(machine["roleArn"].rsplit("/", 1)[1], ("lambda:InvokeFunction", functions + FUNCTION))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trusted = {"Version": "2012-10-17", "Statement": [trust | {"Action": "sts:AssumeRole"}]}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=FUNCTION, AssumeRolePolicyDocument=json.dumps(trusted))
    bucket = f"arn:aws:s3:::{stack.lake}"
    allow(
        FUNCTION,
        ("s3:GetObject", f"{bucket}/faults/*"),
        ("s3:ListBucket", bucket),  # else a fault that is not there is an AccessDenied
        ("lambda:InvokeFunction", functions + "rebuy-*"),
    )
    return str(iam.get_role(RoleName=FUNCTION)["Role"]["Arn"])


def replace(states: Json, stand_in: str, bucket: str) -> None:
    """Puts the stand-in behind every Task."""
    for name, state in every_state(states):
        if state["Type"] != "Task":
            continue
        query = "startQueryExecution" in state["Resource"]
        jsonata = state.get("QueryLanguage") == "JSONata"
        parameters = "Arguments" if jsonata else "Parameters"
        execution = {
            "execution" + ("" if jsonata else ".$"): "{% $states.context.Execution.Name %}"
            if jsonata
            else "$$.Execution.Name"
        }
        given = {
            "FunctionName": stand_in,
            "Payload": {
                "state": name,
                "bucket": bucket,
                "answer": QUERY if query else ANSWERS[name],
                "request": state[parameters],
                **execution,
            },
        }
        was_function = state["Resource"].endswith(":lambda:invoke")
        state |= {"Resource": "arn:aws:states:::lambda:invoke", parameters: given}
        if jsonata:
            state["Output"] = state["Output"].replace("$states.result.", "$states.result.Payload.")
        elif not was_function:
            state["ResultSelector"] = {
                key: value.replace("$.", "$.Payload.")
                for key, value in state["ResultSelector"].items()
            }


def tasks_of(states: Json) -> list[str]:
    return [name for name, state in every_state(states) if state["Type"] == "Task"]
