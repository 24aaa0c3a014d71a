"""Projects: a dataset, a recipe that grows over a sample of it, and the session that shows both.

A session answers at once. What AWS puts into an action's `Result` is not documented, but that it
is text: here it is JSON (localaws.databrew.viewing says of what). A step is taken back by an
UpdateRecipe that leaves it out: the session shows the working recipe as it is.
"""

# GUESSED: the Result of a session's action is JSON.
from __future__ import annotations

import json
import secrets as random
import shutil
from collections.abc import Sequence
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.job import Cancelled, Job
from localaws.core.service import Call, Service
from localaws.databrew import inputs
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import (
    arn,
    conflict,
    created,
    existing,
    invalid,
    modified,
    named,
    not_found,
    page,
)
from localaws.databrew.recipe.compiler import parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipes import WORKING, Recipes
from localaws.databrew.runs import DATABREW, SESSION, JobRuns
from localaws.databrew.source import InputError
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

KIND = "databrew-project"
DEFAULT_SAMPLE = {"Type": "FIRST_N", "Size": 500}
LARGEST_SAMPLE = 5_000
ACTION_SECONDS = 180.0
STEP_FRAME = "GET_STEP_DATAFRAME"


class Projects:
    def __init__(self, aws: LocalAws, datasets: Datasets, recipes: Recipes, runs: JobRuns) -> None:
        self._aws = aws
        self._datasets = datasets
        self._recipes = recipes
        self._runs = runs

    def register(self, service: Service) -> None:
        service.operation(
            "CreateProject", "Name", "DatasetName", "RecipeName", "RoleArn", "Sample", "Tags"
        )(self.create)
        service.operation("UpdateProject", "Name", "RoleArn", "Sample")(self.update)
        service.operation("DescribeProject", "Name")(self.describe)
        service.operation("DeleteProject", "Name")(self.delete)
        service.operation("ListProjects", "MaxResults", "NextToken")(self.list)
        service.operation("StartProjectSession", "Name", "AssumeControl")(self.open)
        service.operation(
            "SendProjectSessionAction",
            *("Name", "ClientSessionId", "Preview", "RecipeStep", "StepIndex", "ViewFrame"),
        )(self.act)

    def get(self, name: str) -> Json:
        """The project. Raises ResourceNotFoundException."""
        return existing(self._aws, "Project", name)

    # Definitions

    def create(self, call: Call) -> Json:
        name, given = named("project", call), call.params
        recipe = given["RecipeName"]
        self._datasets.get(given["DatasetName"])
        document = {
            "Name": name,
            "DatasetName": given["DatasetName"],
            "RecipeName": recipe,
            "RoleArn": given["RoleArn"],
            "Sample": _sample(given),
            "Tags": given.get("Tags", {}),
            "ResourceArn": arn(self._aws, "project", name),
            **created(self._aws, call.caller),
        }
        with self._aws.documents.transaction():
            other = self._recipes.get(recipe, WORKING).get("ProjectName")
            if self._aws.documents.get(KIND, name) is not None:
                raise conflict(f"Project {name} already exists.")
            if other:
                raise conflict(f"Recipe {recipe} belongs to project {other}.")
            self._recipes.belong(recipe, name)
            self._aws.documents.put(KIND, name, document)
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Changes the role and the sample; an open session has to be started again."""
        name, given = call.params["Name"], call.params
        with self._aws.documents.changing(KIND, name, not_found("Project", name)) as document:
            document["RoleArn"] = given["RoleArn"]
            if "Sample" in given:
                document["Sample"] = _sample(given)
                document.pop("Session", None)
            document |= modified(self._aws, call.caller)
        return {"Name": name, "LastModifiedDate": document["LastModifiedDate"]}

    def describe(self, call: Call) -> Json:
        project = self.get(call.params["Name"])
        session = project.pop("Session", None)
        return project | ({"SessionStatus": "ASSIGNED"} if session else {})

    def delete(self, call: Call) -> Json:
        """The recipe stays, and may belong to another project. Raises ConflictException while a
        job runs the project's recipe."""
        name = call.params["Name"]
        with self._aws.documents.transaction():
            project = self.get(name)
            for job_name, job in self._aws.documents.items("databrew-job"):
                if job.get("ProjectName") == name:
                    raise conflict(f"Project {name} is used by job {job_name}.")
            self._recipes.belong(project["RecipeName"], None)
            self._aws.documents.delete(KIND, name)
        shutil.rmtree(self._folder(name), ignore_errors=True)
        return {"Name": name}

    def list(self, call: Call) -> Json:
        found, token = page(
            (
                (name, {"AccountId": self._aws.account, **_without_session(project)})
                for name, project in self._aws.documents.items(KIND)
            ),
            call.params,
        )
        return {"Projects": found, **token}

    # Sessions

    def _folder(self, name: str) -> Path:
        return self._aws.home.directory("databrew-sessions") / name.encode().hex()

    def open(self, call: Call) -> Json:
        """Takes the sample. Raises ConflictException while somebody else has the project open,
        unless AssumeControl."""
        name = call.params["Name"]
        project = self.get(name)
        held = project.get("Session")
        if held and project["OpenedBy"] != call.caller.arn and not call.params.get("AssumeControl"):
            raise conflict(f"Project {name} is opened by {project['OpenedBy']}.")
        aws = self._acting(project)
        folder = self._folder(name)
        shutil.rmtree(folder, ignore_errors=True)
        dataset = self._datasets.get(project["DatasetName"])
        try:
            source = inputs.resolve(aws, dataset).to_json()
        except (InputError, AwsError) as error:
            raise invalid(str(getattr(error, "message", error))) from error
        request = {"source": source, "sample": project["Sample"], "folder": str(folder)}
        self._perform("localaws.databrew.work:sample", request)
        session = random.token_hex(16)
        with self._aws.documents.changing(KIND, name, not_found("Project", name)) as document:
            document["Session"] = {"Id": session, "Actions": 0}
            document["OpenedBy"] = call.caller.arn
            document["OpenDate"] = self._aws.clock.now()
        return {"Name": name, "ClientSessionId": session}

    def act(self, call: Call) -> Json:
        """Shows the data after a step: one that is tried (Preview), one that is added to the
        recipe, or one that was applied before (StepIndex)."""
        name, given = call.params["Name"], call.params
        project = self.get(name)
        session = project.get("Session")
        if session is None:
            raise conflict(f"Project {name} has no session; StartProjectSession opens one.")
        if given.get("ClientSessionId", session["Id"]) != session["Id"]:
            raise conflict(f"Project {name} is under the control of another session.")
        applied = self._recipes.get(project["RecipeName"], WORKING)["Steps"]
        step, index = given.get("RecipeStep"), given.get("StepIndex")
        action = (step or {}).get("Action", {})
        operation = action.get("Operation")
        if operation == STEP_FRAME:
            index = int(action.get("Parameters", {}).get("stepIndex", len(applied)))
            step = None
        elif operation in ("GET_ACTION_RESULT", "GET_ADVANCED_DATATYPE"):
            raise NotEmulated(
                "databrew", call.operation, f"RecipeStep.Action.Operation={operation}",
                "Each action is answered at once, with what is known of the columns.",
            )  # fmt: skip
        preview = bool(given.get("Preview"))
        if index is not None and index > len(applied):
            raise invalid(f"StepIndex is {index}; the recipe has {len(applied)} steps.")
        if index is not None and step is not None and not preview:
            raise invalid("A step is added at the end; UpdateRecipe puts it between others.")
        before = applied if index is None else applied[:index]
        shown = self._view(project, [*before, step] if step else before, given.get("ViewFrame"))
        shown |= {"stepIndex": len(before) + bool(step), "preview": preview and bool(step)}
        if step is not None and not preview:
            self._recipes.append(project["RecipeName"], step, len(applied), call.caller)
        with self._aws.documents.changing(KIND, name, not_found("Project", name)) as document:
            document["Session"] = {**session, "Actions": session["Actions"] + 1}
        return {"Name": name, "ActionId": session["Actions"] + 1, "Result": json.dumps(shown)}

    def _view(self, project: Json, steps: Sequence[Json], frame: Json | None) -> Json:
        aws = self._acting(project)
        try:
            parse(steps)
            others = self._runs.others(aws, steps)
        except (RecipeError, InputError, AwsError) as error:
            raise invalid(str(getattr(error, "message", error))) from error
        request = {
            **others,
            "steps": steps,
            "frame": frame or {"StartColumnIndex": 0},
            "now": self._aws.clock.now(),
            "folder": str(self._folder(project["Name"])),
        }
        result: Json = self._perform("localaws.databrew.work:view", request)
        return result

    def _acting(self, project: Json) -> LocalAws:
        return self._aws.acting_as_role(project["RoleArn"], SESSION, DATABREW)

    def _perform(self, work: str, request: Json) -> Json:
        job = Job(self._aws.clock, work, {}, again=False)
        job.limit(ACTION_SECONDS)
        try:
            result: Json = self._aws.workers.perform(job, work, request)
            return result
        except WorkFailed as failed:
            raise invalid(failed.message) from failed
        except OutOfMemory:
            raise invalid("The sample needs more memory than a session may have.") from None
        except Cancelled:
            raise invalid(f"The action took longer than {ACTION_SECONDS:.0f} seconds.") from None


def _without_session(project: Json) -> Json:
    return {member: value for member, value in project.items() if member != "Session"}


def _sample(given: Json) -> Json:
    sample = {**DEFAULT_SAMPLE, **given.get("Sample", {})}
    if not 1 <= sample["Size"] <= LARGEST_SAMPLE:
        raise invalid(f"Sample.Size is {sample['Size']}; it is from 1 to {LARGEST_SAMPLE}.")
    return sample
