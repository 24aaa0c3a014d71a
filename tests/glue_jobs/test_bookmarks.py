"""Bookmarks over runs of a job: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.glue_jobs.conftest import Glue

# No Spark: which objects a read would take is decided before it.
READ = """
import sys
from awsglue.bookmarks import BOOKMARK
from awsglue.job import Job
from awsglue.objects import MountedObjects, at_paths
from awsglue.utils import getResolvedOptions
from pathlib import Path

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "commit", "most"])
job = Job(None)
job.init(args["JOB_NAME"], args)
objects = MountedObjects({})
objects.folders = {"lake": Path(args["bucket"])}
options = {"paths": ["s3://lake/in/"], "boundedFiles": args["most"]}
for context in ("orders", ""):
    files = BOOKMARK.fresh(context, at_paths(objects, options), options)
    print(context, [file.key for file in files])
if args["commit"] == "yes":
    job.commit()
"""


def test_a_run_reads_what_no_committed_run_has_read(glue: Glue) -> None:
    glue.job(
        "incremental",
        READ,
        DefaultArguments={
            "--job-bookmark-option": "job-bookmark-enable",
            "--bucket": str(glue.aws.objects.folder("lake")),
            "--commit": "yes",
            "--most": "9",
        },
    )

    def put(key: str, text: bytes = b"x") -> None:
        glue.s3.put_object(Bucket="lake", Key=f"in/{key}", Body=text)

    def read(**given: str) -> tuple[str, str]:
        run = glue.run("incremental", **given)
        assert run["JobRunState"] == "SUCCEEDED", glue.errors(run)
        line = glue.output(run).splitlines()[0]
        return run["Id"], line.removeprefix("orders ")

    with pytest.raises(ClientError, match="Continuation for job incremental not found"):
        glue.client.get_job_bookmark(JobName="incremental")
    put("1.csv")
    put("2.csv")
    assert read(commit="no")[1] == "['in/1.csv', 'in/2.csv']"
    first, objects = read(most="1")
    assert objects == "['in/1.csv']", "bounded: the oldest first"
    assert read()[1] == "['in/2.csv']", "what was not committed is read again, once"
    assert read()[1] == "[]"
    put("1.csv", b"changed")
    assert read()[1] == "['in/1.csv']", "a changed object is new again"
    entry = glue.client.get_job_bookmark(JobName="incremental")["JobBookmarkEntry"]
    assert (entry["Run"], entry["JobName"]) == (4, "incremental")
    assert {"RunId", "PreviousRunId", "Version", "JobBookmark"} <= set(entry)

    glue.client.reset_job_bookmark(JobName="incremental", RunId=first)
    put("3.csv")
    paused = {"job-bookmark-option": "job-bookmark-pause"}
    assert read(**paused)[1] == "['in/2.csv', 'in/1.csv', 'in/3.csv']"
    assert read()[1] == "['in/2.csv', 'in/1.csv', 'in/3.csv']", "a pause commits nothing"
    assert read(**{"job-bookmark-option": "job-bookmark-disable"})[1] == (
        "['in/1.csv', 'in/2.csv', 'in/3.csv']"
    )
    glue.client.reset_job_bookmark(JobName="incremental")
    assert read()[1] == "['in/2.csv', 'in/1.csv', 'in/3.csv']"
