"""Recipes: a working draft that can be edited, and published versions that cannot.

A recipe that localaws cannot run is refused when it is written: ValidationException names the
step, the operation, and whether DataBrew or only localaws lacks it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
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
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.shapes import Json

KIND = "databrew-recipe"
WORKING, PUBLISHED = "LATEST_WORKING", "LATEST_PUBLISHED"


def _checked(steps: list[Json]) -> list[Json]:
    try:
        parse(steps)
    except RecipeError as error:
        raise invalid(str(error)) from error
    return steps


class Recipes:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        service.operation("CreateRecipe", "Name", "Description", "Steps", "Tags")(self.create)
        service.operation("UpdateRecipe", "Name", "Description", "Steps")(self.update)
        service.operation("PublishRecipe", "Name", "Description")(self.publish)
        service.operation("DescribeRecipe", "Name", "RecipeVersion")(self.describe)
        service.operation("ListRecipes", "MaxResults", "NextToken", "RecipeVersion")(self.list)
        service.operation("ListRecipeVersions", "MaxResults", "NextToken", "Name")(self.versions)
        service.operation("DeleteRecipeVersion", "Name", "RecipeVersion")(self.delete)
        service.operation("BatchDeleteRecipeVersion", "Name", "RecipeVersions")(self.delete_many)

    def get(self, name: str, version: str) -> Json:
        """One version, by number, LATEST_PUBLISHED or LATEST_WORKING.

        Raises ResourceNotFoundException.
        """
        document = existing(self._aws, "Recipe", name)
        if version == WORKING:
            return dict(document["working"])
        published = document["published"]
        if version == PUBLISHED:
            if not published:
                raise not_found("Published version of recipe", name)
            return dict(published[-1])
        for each in published:
            if each["RecipeVersion"] == version:
                return dict(each)
        raise not_found("Recipe", f"{name} version {version}")

    def _changing(self, name: str) -> AbstractContextManager[Json]:
        return self._aws.documents.changing(KIND, name, not_found("Recipe", name))

    def create(self, call: Call) -> Json:
        name = named("recipe", call)
        working = {
            "Name": name,
            "RecipeVersion": WORKING,
            "Description": call.params.get("Description", ""),
            "Steps": _checked(call.params["Steps"]),
            "Tags": call.params.get("Tags", {}),
            "ResourceArn": arn(self._aws, "recipe", name),
            **created(self._aws, call.caller),
        }
        if not self._aws.documents.insert(KIND, name, {"working": working, "published": []}):
            raise conflict(f"Recipe {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Changes the working draft; published versions stay as they are."""
        with self._changing(call.params["Name"]) as document:
            if "Steps" in call.params:
                document["working"]["Steps"] = _checked(call.params["Steps"])
            if "Description" in call.params:
                document["working"]["Description"] = call.params["Description"]
            document["working"] |= modified(self._aws, call.caller)
        return {"Name": call.params["Name"]}

    def append(self, name: str, step: Json, after: int, caller: Caller) -> None:
        """A project's step at the end of the working draft, which had `after` steps when it was
        tried. Raises ConflictException when somebody has changed it since."""
        with self._changing(name) as document:
            if len(document["working"]["Steps"]) != after:
                raise conflict(f"Recipe {name} was changed while the step was applied.")
            document["working"]["Steps"].append(step)
            document["working"] |= modified(self._aws, caller)

    def belong(self, name: str, project: str | None) -> None:
        """The recipe is of a project from now on, or of none."""
        with self._changing(name) as document:
            document["working"].pop("ProjectName", None)
            if project is not None:
                document["working"]["ProjectName"] = project

    def publish(self, call: Call) -> Json:
        """Freezes the draft as the next version: 1.0, 2.0, ..."""
        with self._changing(call.params["Name"]) as document:
            last = document["published"][-1]["RecipeVersion"] if document["published"] else "0.0"
            number = max(int(last.split(".")[0]), int(document.get("last", 0))) + 1
            working = document["working"]
            document["last"] = number
            document["published"].append(
                working
                | {
                    "RecipeVersion": f"{number}.0",
                    "Description": call.params.get("Description", working["Description"]),
                    "PublishedBy": call.caller.arn,
                    "PublishedDate": self._aws.clock.now(),
                }
            )
        return {"Name": call.params["Name"]}

    def describe(self, call: Call) -> Json:
        return self.get(call.params["Name"], call.params.get("RecipeVersion", PUBLISHED))

    def list(self, call: Call) -> Json:
        wanted = call.params.get("RecipeVersion", PUBLISHED)
        if wanted not in (WORKING, PUBLISHED):
            raise invalid(f"RecipeVersion is {wanted!r}; it must be {WORKING} or {PUBLISHED}.")
        found = []
        for name, document in self._aws.documents.items(KIND):
            if wanted == WORKING or document["published"]:
                found.append((name, self.get(name, wanted)))
        recipes, token = page(found, call.params)
        return {"Recipes": recipes, **token}

    def versions(self, call: Call) -> Json:
        """Every published version, newest first."""
        document = existing(self._aws, "Recipe", call.params["Name"])
        numbered = ((float(each["RecipeVersion"]), each) for each in document["published"])
        recipes, token = page(numbered, call.params, newest_first=True)
        return {"Recipes": recipes, **token}

    def delete(self, call: Call) -> Json:
        name, version = call.params["Name"], call.params["RecipeVersion"]
        self._remove(name, version)
        return {"Name": name, "RecipeVersion": version}

    def delete_many(self, call: Call) -> Json:
        name = call.params["Name"]
        existing(self._aws, "Recipe", name)
        errors = []
        # The draft can go only after all others.
        for version in sorted(call.params["RecipeVersions"], key=lambda each: each == WORKING):
            try:
                self._remove(name, version)
            except AwsError as error:
                errors.append(
                    {
                        "ErrorCode": error.code,
                        "ErrorMessage": error.message,
                        "RecipeVersion": version,
                    }
                )
        return {"Name": name, "Errors": errors}

    def _remove(self, name: str, version: str) -> None:
        with self._aws.documents.transaction():
            self._remove_at_once(name, version)

    def _remove_at_once(self, name: str, version: str) -> None:
        document = existing(self._aws, "Recipe", name)
        self.get(name, version)
        if version == PUBLISHED:
            raise invalid(f"RecipeVersion must be a number such as 1.0 or {WORKING}.")
        self._refuse_used(name, version)
        if version == WORKING:
            if document["published"]:
                raise conflict(f"Recipe {name} has published versions; delete those first.")
            self._aws.documents.delete(KIND, name)
            return
        document["published"] = [
            each for each in document["published"] if each["RecipeVersion"] != version
        ]
        self._aws.documents.put(KIND, name, document)

    def _refuse_used(self, name: str, version: str) -> None:
        last = version != WORKING and self.get(name, PUBLISHED)["RecipeVersion"] == version
        for job_name, job in self._aws.documents.items("databrew-job"):
            reference = job.get("RecipeReference")
            if (
                reference
                and reference["Name"] == name
                and (
                    reference["RecipeVersion"] == version
                    or (last and reference["RecipeVersion"] == PUBLISHED)
                )
            ):
                raise conflict(f"Recipe {name} version {version} is used by job {job_name}.")
