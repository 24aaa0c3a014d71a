"""The page Prepare: projects of DataBrew, the session that shows a sample, and their recipes.

DataBrew's own API and nothing else, so that it works over AWS and over the local AWS. What AWS
puts into the `Result` of a session's action is not documented; the local AWS puts JSON there, which
the page draws. Another text is shown as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from starlette.requests import Request

from console.roles import roles
from console.web import Refused, given, told
from executions.paging import everything
from executions.s3 import split_uri

Json = dict[str, Any]

WORKING = "LATEST_WORKING"
KEEP = Path("databrew_recipes")
FORMATS = {
    ".csv": "CSV", ".tsv": "CSV", ".txt": "CSV", ".json": "JSON", ".jsonl": "JSON",
    ".parquet": "PARQUET", ".orc": "ORC", ".xlsx": "EXCEL", ".xls": "EXCEL",
}  # fmt: skip
DELIMITERS = ",;\t|"
HEAD_BYTES = 64 * 1024
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class PreparePage:
    """The requests of the page over one target's clients. `keep` is a folder that recipes are
    saved into: the one of a checkout, when the console runs beside one."""

    def __init__(self, clients: Callable[[str], Any], keep: Path = KEEP) -> None:
        self._clients = clients
        self._keep = keep

    @property
    def _brew(self) -> Any:
        return self._clients("databrew")

    def reads(self) -> dict[str, Callable[[Request], Any]]:
        return {
            "preparing": lambda _: self.overview(),
            "project": lambda r: project(self._brew, given(r, "name")),
            "cleaning": lambda r: cleaning(self._brew, given(r, "job"), given(r, "run")),
        }

    def writes(self) -> dict[str, tuple[Callable[[Json], Any], dict[str, type]]]:
        return {
            "prepare": (
                lambda body: begin(self._brew, self._clients("s3"), body),
                {"name": str, "source": dict, "role": str},
            ),
            "session": (
                lambda body: self._brew.start_project_session(
                    Name=body["name"], AssumeControl=body["control"]
                ),
                {"name": str, "control": bool},
            ),
            "act": (lambda body: act(self._brew, body), {"name": str, "session": str}),
            "steps": (
                lambda body: self._brew.update_recipe(Name=body["recipe"], Steps=body["steps"]),
                {"recipe": str, "steps": list},
            ),
            "publish": (lambda body: publish(self._brew, body), {"recipe": str}),
            "keep": (self.keep, {"name": str, "text": str}),
            "clean": (
                lambda body: clean(self._brew, body),
                {"project": str, "role": str, "uri": str, "format": str},
            ),
        }

    def overview(self) -> Json:
        """{projects, datasets, roles, keep}: what can be opened, what can be begun with, and where
        recipes are saved (None where no checkout is)."""
        projects = everything(self._brew, "list_projects", "Projects")
        jobs = everything(self._brew, "list_jobs", "Jobs")
        return {
            "projects": [
                {
                    "name": each["Name"],
                    "dataset": each.get("DatasetName"),
                    "recipe": each["RecipeName"],
                    "changed": each.get("LastModifiedDate"),
                }
                for each in projects
            ],
            "datasets": sorted(
                each["Name"] for each in everything(self._brew, "list_datasets", "Datasets")
            ),
            "roles": list(
                dict.fromkeys(
                    [
                        *(each["RoleArn"] for each in [*projects, *jobs] if each.get("RoleArn")),
                        *roles(self._clients("iam"), "databrew"),
                    ]
                )
            ),
            "keep": str(self._keep) if self._keep.is_dir() else None,
        }

    def keep(self, wanted: Json) -> Json:
        """{path}: the recipe's JSON as a file of the checkout. Raises Refused."""
        name = wanted["name"].strip().replace("-", "_").replace(" ", "_")
        if not _FILE_NAME.fullmatch(name):
            raise Refused(400, f"{name!r} is no name of a file: letters, digits, - _ and periods.")
        if not self._keep.is_dir():
            raise Refused(409, f"There is no folder {self._keep} where the console runs.")
        path = self._keep / f"{name.removesuffix('.json')}.json"
        path.write_text(f"{json.dumps(json.loads(wanted['text']), indent=2)}\n")
        return {"path": str(path)}


def project(brew: Any, name: str) -> Json:
    """{name, dataset, role, sample, recipe, steps, versions}: a project, its recipe's draft, and
    what was published of it, newest first."""
    found = brew.describe_project(Name=name)
    recipe = found["RecipeName"]
    return {
        "name": name,
        "dataset": found["DatasetName"],
        "role": found.get("RoleArn"),
        "sample": found.get("Sample"),
        "recipe": recipe,
        "steps": brew.describe_recipe(Name=recipe, RecipeVersion=WORKING).get("Steps", []),
        "versions": versions(brew, recipe),
    }


def versions(brew: Any, recipe: str) -> list[Json]:
    """[{version, description, date}], newest first."""
    return [
        {
            "version": each["RecipeVersion"],
            "description": each.get("Description"),
            "date": each.get("PublishedDate"),
        }
        for each in brew.list_recipe_versions(Name=recipe, MaxResults=20)["Recipes"]
    ]


def begin(brew: Any, s3: Any, wanted: Json) -> Json:
    """{name} of a new project over `source`: {dataset}, {database, table} or {uri}. The dataset of
    a table or file and the recipe get the project's name. Raises Refused."""
    name, source = wanted["name"].strip(), wanted["source"]
    if not name:
        raise Refused(400, "A project has a name.")
    dataset = source.get("dataset")
    if not dataset:
        brew.create_dataset(Name=name, **_definition(s3, source))
        dataset = name
    try:
        brew.create_recipe(Name=f"{name}-recipe", Steps=[])
        brew.create_project(
            Name=name,
            DatasetName=dataset,
            RecipeName=f"{name}-recipe",
            RoleArn=wanted["role"],
            Sample={"Type": wanted.get("sample", "FIRST_N"), "Size": int(wanted.get("size", 500))},
        )
    except ClientError:
        if dataset == name:
            brew.delete_dataset(Name=name)
        raise
    return {"name": name}


def _definition(s3: Any, source: Json) -> Json:
    """What CreateDataset is told of a table of the catalog, or of a file or folder in S3."""
    if source.get("table"):
        table = {"DatabaseName": source["database"], "TableName": source["table"]}
        return {"Input": {"DataCatalogInputDefinition": table}}
    uri = str(source.get("uri", "")).strip()
    bucket, key = split_uri(uri)
    if not uri.startswith("s3://") or not bucket:
        raise Refused(400, f"{uri!r} is no address in S3, such as s3://bucket/folder/file.csv.")
    place = {"Bucket": bucket, **({"Key": key} if key else {})}
    definition: Json = {"Input": {"S3InputDefinition": place}}
    kind = FORMATS.get(Path(key.removesuffix(".gz")).suffix.lower())
    if kind:
        definition["Format"] = kind
    if kind == "CSV":
        delimiter = delimiter_of(_first_line(s3, bucket, key))
        definition["FormatOptions"] = {"Csv": {"Delimiter": delimiter, "HeaderRow": True}}
    return definition


def _first_line(s3: Any, bucket: str, key: str) -> str:
    """The first line of an object, empty for what is compressed or not there (DataBrew says so)."""
    if key.endswith(".gz"):
        return ""
    try:
        body = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{HEAD_BYTES - 1}")["Body"]
    except ClientError:
        return ""
    return str(body.read().decode("utf-8", "replace").partition("\n")[0])


def delimiter_of(line: str) -> str:
    """The delimiter that a header line has most of; a comma when it has none."""
    return max(DELIMITERS, key=line.count)


def act(brew: Any, wanted: Json) -> Json:
    """What an action of the session shows: {view} where its Result is JSON with rows, else {text};
    {refused: {code, message}} for a step that does not fit, which is an answer as well.

    `wanted`: {name, session, step?, preview?, index?, frame?}, as SendProjectSessionAction has it.
    """
    request: Json = {"Name": wanted["name"], "ClientSessionId": wanted["session"]}
    for ours, theirs in (("step", "RecipeStep"), ("index", "StepIndex"), ("frame", "ViewFrame")):
        if wanted.get(ours) is not None:
            request[theirs] = wanted[ours]
    if wanted.get("preview"):
        request["Preview"] = True
    try:
        text = brew.send_project_session_action(**request).get("Result", "")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return {"refused": told(error)}
    try:
        shown = json.loads(text)
    except ValueError:
        return {"text": text}
    drawn = isinstance(shown, dict) and "rows" in shown and "columns" in shown
    return {"view": shown} if drawn else {"text": text}


def publish(brew: Any, wanted: Json) -> Json:
    """{versions} after the draft was published as the next one."""
    said = str(wanted.get("description") or "").strip()
    brew.publish_recipe(Name=wanted["recipe"], **({"Description": said} if said else {}))
    return {"versions": versions(brew, wanted["recipe"])}


def clean(brew: Any, wanted: Json) -> Json:
    """{job, run}: the project's recipe over the whole dataset, into a folder of S3. The job has the
    project's name; it is made, or told the new place. Raises Refused."""
    bucket, key = split_uri(wanted["uri"].strip())
    if not wanted["uri"].strip().startswith("s3://") or not bucket:
        raise Refused(400, f"{wanted['uri']!r} is no address in S3, such as s3://bucket/folder/.")
    job = f"{wanted['project']}-clean"
    settings: Json = {
        "Name": job,
        "RoleArn": wanted["role"],
        "Outputs": [
            {
                "Location": {"Bucket": bucket, "Key": key},
                "Format": wanted["format"],
                "Overwrite": True,
            }
        ],
    }
    try:
        brew.create_recipe_job(ProjectName=wanted["project"], **settings)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConflictException":
            raise
        brew.update_recipe_job(**settings)
    return {"job": job, "run": brew.start_job_run(Name=job)["RunId"]}


def cleaning(brew: Any, job: str, run: str) -> Json:
    """{state, over, problem, where, seconds} of a run."""
    found = brew.describe_job_run(Name=job, RunId=run)
    return {
        "state": found["State"],
        "over": found["State"] in ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"),
        "problem": found.get("ErrorMessage"),
        "where": [
            f"s3://{each['Location']['Bucket']}/{each['Location'].get('Key', '')}"
            for each in found.get("Outputs", [])
        ],
        "seconds": found.get("ExecutionTime"),
    }
