"""The page Glue: columns of a table mapped to a target, the script of it, a job, and its run.

Glue's own API and nothing else, so that it works over AWS and over the local AWS: GetMapping pairs
the columns, GetPlan writes the script for a table of the catalog. What GetPlan takes for files in
S3 is documented nowhere: CreateScript is told their graph, with the steps that Glue plans.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from botocore.exceptions import ClientError
from starlette.requests import Request

from console.roles import roles
from console.web import Refused, given
from executions.paging import everything
from executions.s3 import split_uri

Json = dict[str, Any]

MOST_JOBS = 500
COLUMNAR = ("parquet", "orc")
FORMATS = (*COLUMNAR, "csv", "json", "avro")
OVER = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")
# A small job of the present version; its owner changes what they want to in Glue.
SETTINGS: Json = {
    "GlueVersion": "5.0",
    "WorkerType": "G.1X",
    "NumberOfWorkers": 2,
    "Timeout": 60,
    "DefaultArguments": {"--job-language": "python"},
}


class GluePage:
    """The requests of the page over one target's clients."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    @property
    def _glue(self) -> Any:
        return self._clients("glue")

    def reads(self) -> dict[str, Callable[[Request], Any]]:
        return {
            "jobs": lambda _: self.overview(),
            "mapping": lambda r: mapping(
                *(self._glue, given(r, "database"), given(r, "table")),
                r.query_params.get("into_database"),
                r.query_params.get("into_table"),
            ),
            "jobrun": lambda r: run_state(self._glue, given(r, "job"), given(r, "run")),
        }

    def asks(self) -> dict[str, tuple[Callable[[Json], Any], dict[str, type]]]:
        return {
            "script": (
                lambda body: {"script": script(self._glue, body)},
                {"source": dict, "target": dict, "mapping": list},
            )
        }

    def writes(self) -> dict[str, tuple[Callable[[Json], Any], dict[str, type]]]:
        return {
            "job": (
                lambda body: save(self._glue, self._clients("s3"), body),
                {"name": str, "role": str, "uri": str, "script": str},
            ),
            "runjob": (
                lambda body: {
                    "job": body["name"],
                    "run": self._glue.start_job_run(JobName=body["name"])["JobRunId"],
                },
                {"name": str},
            ),
        }

    def overview(self) -> Json:
        """{jobs: [{name, uri, changed}], roles}: what there is, and whom a job can run as."""
        jobs = everything(self._glue, "get_jobs", "Jobs", MOST_JOBS)
        known = [each["Role"] for each in jobs if each.get("Role", "").startswith("arn:")]
        return {
            "jobs": [
                {
                    "name": each["Name"],
                    "uri": each["Command"].get("ScriptLocation"),
                    "changed": each.get("LastModifiedOn"),
                }
                for each in jobs
            ],
            "roles": list(dict.fromkeys([*roles(self._clients("iam"), "glue"), *known])),
        }


def mapping(
    glue: Any, database: str, table: str, into_database: str | None, into_table: str | None
) -> list[Json]:
    """[{source, type, target, target_type}] of the table's columns: to new ones of the same names,
    or to those that the target's table has of them."""
    into = {"DatabaseName": into_database, "TableName": into_table}
    sinks = {"Sinks": [into]} if into_table else {}
    answer = glue.get_mapping(Source={"DatabaseName": database, "TableName": table}, **sinks)
    return [
        {
            "source": each["SourcePath"],
            "type": each["SourceType"],
            "target": each["TargetPath"],
            "target_type": each["TargetType"],
        }
        for each in answer["Mapping"]
    ]


def script(glue: Any, wanted: Json) -> str:
    """The PySpark of {source: {database, table}, target: {uri, format} or {database, table},
    mapping: [{source, type, target, target_type}]}. Raises Refused."""
    if not wanted["mapping"]:
        raise Refused(400, "No column is taken.")
    source, target = wanted["source"], wanted["target"]
    if target.get("table"):
        written = glue.get_plan(
            Source=_entry(source),
            Sinks=[_entry(target)],
            Mapping=[_mapped(each, source, target) for each in wanted["mapping"]],
            Language="PYTHON",
        )
    else:
        nodes = _nodes(source, _place(target), target["format"], wanted["mapping"])
        edges = [
            {"Source": one["Id"], "Target": other["Id"], "TargetParameter": "frame"}
            for one, other in pairwise(nodes)
        ]
        written = glue.create_script(DagNodes=nodes, DagEdges=edges, Language="PYTHON")
    return str(written["PythonScript"])


def _place(target: Json) -> str:
    uri = str(target.get("uri", "")).strip()
    if not uri.startswith("s3://") or not split_uri(uri)[0]:
        raise Refused(400, f"{uri!r} is no address in S3, such as s3://bucket/folder/.")
    if target.get("format") not in FORMATS:
        raise Refused(400, f"{target.get('format')!r} is no format: {', '.join(FORMATS)}.")
    return uri


def _nodes(source: Json, uri: str, form: str, columns: list[Json]) -> list[Json]:
    """The steps that Glue takes from a table to files: those of columns get choices as structs and
    lose fields that are null alone."""
    members = ("source", "type", "target", "target_type")
    tuples = [f"({', '.join(_text(each[key]) for key in members)})" for each in columns]
    settled = [("ResolveChoice", {"choice": _text("make_struct")}), ("DropNullFields", {})]
    steps: list[tuple[str, dict[str, str]]] = [
        (
            "DataSource",
            {"database": _text(source["database"]), "table_name": _text(source["table"])},
        ),
        ("ApplyMapping", {"mappings": f"[{', '.join(tuples)}]"}),
        *(settled if form in COLUMNAR else []),
        (
            "DataSink",
            {
                "connection_type": _text("s3"),
                "connection_options": f'{{"path": {_text(uri)}}}',
                "format": _text(form),
            },
        ),
    ]
    return [
        {
            "Id": f"{kind.lower()}{number}",
            "NodeType": kind,
            "Args": [
                {"Name": name, "Value": value, "Param": False}
                for name, value in {
                    **said,
                    "transformation_ctx": f'"{kind.lower()}{number}"',
                }.items()
            ],
        }
        for number, (kind, said) in enumerate(steps)
    ]


def _entry(place: Json) -> Json:
    return {"DatabaseName": place["database"], "TableName": place["table"]}


def _mapped(column: Json, source: Json, target: Json) -> Json:
    return {
        "SourceTable": source["table"],
        "SourcePath": column["source"],
        "SourceType": column["type"],
        "TargetTable": target["table"],
        "TargetPath": column["target"],
        "TargetType": column["target_type"],
    }


def _text(value: str) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def save(glue: Any, s3: Any, wanted: Json) -> Json:
    """{name}: a job of the script, which is put at `uri`. A job of that name with its script there
    gets the new one; one with another script is not touched. Raises Refused."""
    uri, name = wanted["uri"].strip(), wanted["name"].strip()
    bucket, key = split_uri(uri)
    if not uri.startswith("s3://") or not key.endswith(".py"):
        raise Refused(
            400, f"{uri!r} is no address of a script, such as s3://bucket/scripts/job.py."
        )
    command = {"Name": "glueetl", "ScriptLocation": uri, "PythonVersion": "3"}
    try:
        there = glue.get_job(JobName=name)["Job"]["Command"].get("ScriptLocation")
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
        there = None
    if there not in (None, uri):
        raise Refused(409, f"There is a job {name} of another script, {there}.")
    s3.put_object(Bucket=bucket, Key=key, Body=wanted["script"].encode())
    if there is None:
        glue.create_job(Name=name, Role=wanted["role"], Command=command, **SETTINGS)
    return {"name": name}


def run_state(glue: Any, job: str, run: str) -> Json:
    """{state, over, problem, seconds} of a run."""
    found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
    return {
        "state": found["JobRunState"],
        "over": found["JobRunState"] in OVER,
        "problem": found.get("ErrorMessage"),
        "seconds": found.get("ExecutionTime"),
    }
