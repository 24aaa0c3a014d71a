"""Recipe jobs: a dataset, a published recipe, and where the result goes."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew import outputs
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import (
    arn,
    conflict,
    created,
    existing,
    invalid,
    modified,
    named,
    page,
)
from localaws.databrew.recipes import PUBLISHED, WORKING, Recipes
from localaws.errors import NotEmulated
from localaws.shapes import Json

KIND = "databrew-job"
DEFAULT_CAPACITY_NODES = 5
DEFAULT_TIMEOUT_MINUTES = 2880
OUTPUTS = ("Outputs", "DataCatalogOutputs", "DatabaseOutputs")
SETTINGS = ("RoleArn", *OUTPUTS, "LogSubscription", "MaxCapacity", "MaxRetries", "Timeout")


class RecipeJobs:
    def __init__(self, aws: LocalAws, datasets: Datasets, recipes: Recipes) -> None:
        self._aws = aws
        self._datasets = datasets
        self._recipes = recipes

    def register(self, service: Service) -> None:
        service.operation(
            "CreateRecipeJob",
            *("Name", "DatasetName", "ProjectName", "RecipeReference", "Tags", *SETTINGS),
        )(self.create)
        service.operation("UpdateRecipeJob", "Name", *SETTINGS)(self.update)
        service.operation("DescribeJob", "Name")(lambda call: self.get(call.params["Name"]))
        service.operation("DeleteJob", "Name")(self.delete)
        service.operation("ListJobs", "DatasetName", "ProjectName", "MaxResults", "NextToken")(
            self.list
        )

    def get(self, name: str) -> Json:
        """The job. Raises ResourceNotFoundException."""
        return existing(self._aws, "Job", name)

    def create(self, call: Call) -> Json:
        """Raises ValidationException for a reference that is not a published version."""
        name, given = named("job", call), call.params
        what = self._of_project(given) if "ProjectName" in given else self._of_recipe(given)
        document = {
            "Name": name,
            "Type": "RECIPE",
            **what,
            "Tags": given.get("Tags", {}),
            "ResourceArn": arn(self._aws, "job", name),
            **created(self._aws, call.caller),
            **self._settings(call),
        }
        if not self._aws.documents.insert(KIND, name, document):
            raise conflict(f"Job {name} already exists.")
        return {"Name": name}

    def _of_recipe(self, given: Json) -> Json:
        if not given.get("DatasetName") or not given.get("RecipeReference"):
            raise invalid("A recipe job needs a ProjectName, or DatasetName and RecipeReference.")
        self._datasets.get(given["DatasetName"])
        reference = {"RecipeVersion": PUBLISHED, **given["RecipeReference"]}
        if reference["RecipeVersion"] == WORKING:
            raise invalid(
                f"Recipe {reference['Name']}: a job needs a published version, such as 1.0 or"
                f" {PUBLISHED}, not {WORKING}."
            )
        self._recipes.get(reference["Name"], reference["RecipeVersion"])
        return {"DatasetName": given["DatasetName"], "RecipeReference": reference}

    def _of_project(self, given: Json) -> Json:
        """A project's dataset and its recipe as it stands when a run starts, published or not."""
        if given.get("DatasetName") or given.get("RecipeReference"):
            raise invalid("ProjectName stands alone: the project has its dataset and its recipe.")
        project = existing(self._aws, "Project", given["ProjectName"])
        return {
            "ProjectName": given["ProjectName"],
            "DatasetName": project["DatasetName"],
            "RecipeReference": {"Name": project["RecipeName"], "RecipeVersion": WORKING},
        }

    def update(self, call: Call) -> Json:
        """Replaces role, outputs and limits; dataset and recipe stay."""
        name = call.params["Name"]
        if self.get(name)["Type"] != "RECIPE":
            raise invalid(f"Job {name} is a profile job; UpdateProfileJob changes it.")
        settings = self._settings(call) | modified(self._aws, call.caller)
        with self._aws.documents.transaction():
            kept = {key: value for key, value in self.get(name).items() if key not in OUTPUTS}
            self._aws.documents.put(KIND, name, kept | settings)
        return {"Name": name}

    def _settings(self, call: Call) -> Json:
        given, operation = call.params, call.operation
        if not any(given.get(member) for member in OUTPUTS):
            raise invalid(f"A recipe job needs at least one of {', '.join(OUTPUTS)}.")
        found: dict[str, list[Json]] = {
            "Outputs": [outputs.checked(operation, each) for each in given.get("Outputs", [])],
            "DataCatalogOutputs": [
                outputs.in_catalog(self._aws, operation, each)
                for each in given.get("DataCatalogOutputs", [])
            ],
            "DatabaseOutputs": [
                {"DatabaseOutputMode": "NEW_TABLE", **each}
                for each in given.get("DatabaseOutputs", [])
            ],
        }
        places = {member: each for member, each in found.items() if each}
        return {"RoleArn": given["RoleArn"], **places, **limits(call)}

    def delete(self, call: Call) -> Json:
        name = call.params["Name"]
        self.get(name)
        self._aws.documents.delete(KIND, name)
        return {"Name": name}

    def list(self, call: Call) -> Json:
        wanted, project = call.params.get("DatasetName"), call.params.get("ProjectName")
        found, token = page(
            [
                (name, {"AccountId": self._aws.account, **job})
                for name, job in self._aws.documents.items(KIND)
                if wanted in (None, job["DatasetName"])
                and project in (None, job.get("ProjectName"))
            ],
            call.params,
        )
        return {"Jobs": found, **token}


def limits(call: Call) -> Json:
    """What recipe and profile jobs have in common."""
    given = call.params
    if given.get("MaxRetries", 0) != 0:
        raise NotEmulated("databrew", call.operation, "MaxRetries", "It retries nothing; give 0.")
    return {
        "LogSubscription": given.get("LogSubscription", "ENABLE"),
        "MaxCapacity": given.get("MaxCapacity", DEFAULT_CAPACITY_NODES),
        "MaxRetries": 0,
        "Timeout": given.get("Timeout", DEFAULT_TIMEOUT_MINUTES),
    }
