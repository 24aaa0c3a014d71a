"""What services write of this deployment's work: groups of its own, and streams of ours in groups
that the whole account shares, whose retention is the account's to set."""

from __future__ import annotations

from configuration.connection import Connection
from infrastructure import names
from infrastructure.deployables import FUNCTIONS

TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
CRAWLER_LOGS = "/aws-glue/crawlers"
DATABREW_LOGS = "/aws-glue-databrew/jobs"
GLUE_LOGS = ("/aws-glue/jobs/output", "/aws-glue/jobs/error", "/aws-glue/jobs/logs-v2")
SHELL_LOGS = ("/aws-glue/python-jobs/output", "/aws-glue/python-jobs/error")
SHARED_LOGS = (TRAINING_LOGS, CRAWLER_LOGS, DATABREW_LOGS, *GLUE_LOGS, *SHELL_LOGS)


def groups(connection: Connection) -> list[str]:
    """Services make them again when a last line comes late."""
    wanted = [f"/aws/lambda/${{AWS::StackName}}-{one.short_name}" for one in FUNCTIONS]
    wanted += [names.STATE_MACHINE_LOGS, names.API_LOGS, names.ENDPOINT_LOGS]
    logs = connection.client("logs")
    found = []
    for name in (names.named(text, connection) for text in wanted):
        groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        found += [name for group in groups if group["logGroupName"] == name]
    return found


def _streams(connection: Connection, group: str, begin: str) -> list[str]:
    """`group:stream` of the streams of a group with this begin."""
    logs = connection.client("logs")
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=begin
    )
    try:
        return [f"{group}:{one['logStreamName']}" for page in pages for one in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def of_jobs(connection: Connection) -> list[str]:
    """Of training and DataBrew jobs, by what names that runs make begin with; of the crawler."""
    made = names.named(names.MADE, connection)
    crawler = names.named(names.CRAWLER, connection)
    return [
        *_streams(connection, TRAINING_LOGS, made),
        *_streams(connection, DATABREW_LOGS, made),
        *(
            one
            for one in _streams(connection, CRAWLER_LOGS, crawler)
            if one == f"{CRAWLER_LOGS}:{crawler}"
        ),
    ]


def of_glue(connection: Connection) -> list[str]:
    """Of the Glue jobs' runs, which are known as long as the jobs are there."""
    found = []
    for job, groups in ((names.JOIN_FEATURES, GLUE_LOGS), (names.READ_DATABASE, SHELL_LOGS)):
        for run in _runs(connection, names.named(job, connection)):
            found += [one for group in groups for one in _streams(connection, group, run)]
    return found


def _runs(connection: Connection, job: str) -> list[str]:
    glue = connection.client("glue")
    try:
        pages = glue.get_paginator("get_job_runs").paginate(JobName=job)
        return [run["Id"] for page in pages for run in page["JobRuns"]]
    except glue.exceptions.EntityNotFoundException:
        return []


def delete(connection: Connection, name: str) -> None:
    group, _, stream = name.partition(":")
    connection.client("logs").delete_log_stream(logGroupName=group, logStreamName=stream)
