"""Sales of a day, from files to a report: a crawler, a CTAS and a Glue job in one state machine.

    python pipeline.py deploy    # the stack, the job's script and the sample file
    python pipeline.py run       # one execution, to its end; its report
    python pipeline.py destroy

They talk to the AWS that your environment names: the local one after `eval "$(rebuy local env)"`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
NAME = "own-workflow"
DATABASE = NAME.replace("-", "_")
POLL_SECONDS = 1.0
FOLLOWED = {"Delay": 2, "MaxAttempts": 900}  # a stack's change: half an hour at most
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
Json = dict[str, Any]


# -- what runs -------------------------------------------------------------------------------------


def athena(query: str, then: Json, *arguments: str) -> Json:
    """A state that runs a query to its end; `{}` in it are filled with the arguments, paths."""
    values = ", ".join(f"'{part}'" if not part.startswith("$") else part for part in (
        query.replace("'", "\\'"), *arguments
    ))  # fmt: skip
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": {
            "QueryString.$": f"States.Format({values})",
            "QueryExecutionContext": {"Database": DATABASE},
            "ResultConfiguration": {"OutputLocation": "s3://${Bucket}/query-results/"},
        },
        "ResultPath": None,
        **then,
    }


def definition() -> Json:
    """Crawl, summarise, report. `${Bucket}` is filled in by CloudFormation."""
    crawler = {"Name": NAME}
    call = "arn:aws:states:::aws-sdk:glue:"
    # A table of every run's own folder: what an earlier run wrote stays.
    folder = "$$.Execution.Name"
    ctas = (HERE / "sql/daily.sql").read_text().strip()
    return {
        "Comment": "Files to a report",
        "StartAt": "Crawl",
        "States": {
            "Crawl": {
                "Type": "Task",
                "Resource": f"{call}startCrawler",
                "Parameters": crawler,
                "ResultPath": None,
                "Next": "Look at the crawler",
            },
            "Look at the crawler": {
                "Type": "Task",
                "Resource": f"{call}getCrawler",
                "Parameters": crawler,
                "ResultPath": "$.crawler",
                "Next": "Crawled?",
            },
            "Crawled?": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Not": {"Variable": "$.crawler.Crawler.State", "StringEquals": "READY"},
                        "Next": "Wait for the crawler",
                    },
                    {
                        "Variable": "$.crawler.Crawler.LastCrawl.Status",
                        "StringEquals": "SUCCEEDED",
                        "Next": "Drop the last table",
                    },
                ],
                "Default": "Not crawled",
            },
            "Wait for the crawler": {"Type": "Wait", "Seconds": 10, "Next": "Look at the crawler"},
            "Not crawled": {
                "Type": "Fail",
                "Error": "CrawlFailed",
                "CausePath": "States.JsonToString($.crawler.Crawler.LastCrawl)",
            },
            "Drop the last table": athena("DROP TABLE IF EXISTS daily", {"Next": "Summarise"}),
            "Summarise": athena(ctas, {"Next": "Report"}, folder),
            "Report": {
                "Type": "Task",
                "Resource": "arn:aws:states:::glue:startJobRun.sync",
                "Parameters": {
                    "JobName": NAME,
                    "Arguments": {
                        "--bucket": "${Bucket}",
                        "--run.$": folder,
                    },
                },
                "ResultSelector": {"State.$": "$.JobRunState"},
                "End": True,
            },
        },
    }


def template() -> Json:
    """The CloudFormation template: the bucket, the database, crawler, job, machine and roles."""
    bucket: Json = {"Ref": "Bucket"}
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Database": {
                "Type": "AWS::Glue::Database",
                "Properties": {
                    "CatalogId": {"Ref": "AWS::AccountId"},
                    "DatabaseInput": {"Name": DATABASE},
                },
            },
            "GlueRole": role("glue", LAKE, ("logs", "cloudwatch")),
            "Crawler": {
                "Type": "AWS::Glue::Crawler",
                "Properties": {
                    "Name": NAME,
                    "Role": {"Fn::GetAtt": "GlueRole.Arn"},
                    "DatabaseName": {"Ref": "Database"},
                    "Targets": {"S3Targets": [{"Path": {"Fn::Sub": "s3://${Bucket}/sales/"}}]},
                },
            },
            "Job": {
                "Type": "AWS::Glue::Job",
                "Properties": {
                    "Name": NAME,
                    "Role": {"Fn::GetAtt": "GlueRole.Arn"},
                    "GlueVersion": "5.1",
                    "WorkerType": "G.1X",
                    "NumberOfWorkers": 2,
                    "Command": {
                        "Name": "glueetl",
                        "PythonVersion": "3",
                        "ScriptLocation": {"Fn::Sub": "s3://${Bucket}/jobs/report.py"},
                    },
                },
            },
            "StatesRole": role("states", LAKE, ("athena",)),
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": NAME,
                    "RoleArn": {"Fn::GetAtt": "StatesRole.Arn"},
                    "DefinitionString": json.dumps(definition(), indent=1),
                    "DefinitionSubstitutions": {"Bucket": bucket},
                },
            },
        },
        "Outputs": {"Bucket": {"Value": bucket}, "Machine": {"Value": {"Ref": "Machine"}}},
    }


LAKE = ("glue", "s3")


def role(service: str, *groups: tuple[str, ...]) -> Json:
    """A role of a service that may do all that these services do. Narrow it before you rely on it:
    name the bucket, the database and the job in `Resource`."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    allowed = [f"{name}:*" for group in groups for name in group]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    version = "2012-10-17"
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": version, "Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "work",
                    "PolicyDocument": {"Version": version, "Statement": [statement]},
                }
            ],
        },
    }


# -- commands --------------------------------------------------------------------------------------


def deploy() -> Json:
    """Makes or updates the stack, then puts script and data into its bucket. The outputs."""
    client = boto3.client("cloudformation")
    given = {
        "StackName": NAME,
        "TemplateBody": json.dumps(template()),
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        client.create_stack(**given)
        client.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig=FOLLOWED)
    except client.exceptions.AlreadyExistsException:
        try:
            client.update_stack(**given)
            client.get_waiter("stack_update_complete").wait(StackName=NAME, WaiterConfig=FOLLOWED)
        except client.exceptions.ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
    found = outputs()
    s3 = boto3.client("s3")
    for folder in ("jobs", "data"):
        for file in sorted((HERE / folder).glob("*.*")):
            prefix = "sales" if folder == "data" else folder
            s3.upload_file(str(file), found["Bucket"], f"{prefix}/{file.name}")
    return found


def outputs() -> Json:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def run() -> list[Json]:
    """One execution, to its end; the rows of its report. Raises RuntimeError with its cause."""
    found = outputs()
    states = boto3.client("stepfunctions")
    started = states.start_execution(stateMachineArn=found["Machine"], input="{}")["executionArn"]
    while True:
        execution = states.describe_execution(executionArn=started)
        if execution["status"] in ENDED:
            break
        time.sleep(POLL_SECONDS)
    if execution["status"] != "SUCCEEDED":
        raise RuntimeError(
            f"{execution['status']}: {execution.get('error')}: {execution.get('cause')}"
        )
    s3, prefix = boto3.client("s3"), f"reports/{execution['name']}/"
    listed = s3.list_objects_v2(Bucket=found["Bucket"], Prefix=prefix)["Contents"]
    texts = [
        s3.get_object(Bucket=found["Bucket"], Key=one["Key"])["Body"].read().decode()
        for one in listed
        if one["Key"].endswith(".json")
    ]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def destroy() -> None:
    """Empties the bucket and deletes the stack, and the tables with their database."""
    boto3.resource("s3").Bucket(outputs()["Bucket"]).objects.all().delete()
    client = boto3.client("cloudformation")
    client.delete_stack(StackName=NAME)
    client.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig=FOLLOWED)


if __name__ == "__main__":
    commands = {"deploy": deploy, "run": run, "destroy": destroy}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"python pipeline.py {'|'.join(commands)}")
    print(json.dumps(commands[sys.argv[1]](), indent=1))
