"""AWS::DataBrew::Dataset, Recipe (its working version only, as AWS: it never publishes), Job."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    ignoring_missing,
    picked,
)
from localaws.shapes import Json


class Dataset(Provider):
    type = "AWS::DataBrew::Dataset"
    name_property = "Name"
    replaced_by = ("Name",)
    plain = ("Input", "Format", "FormatOptions", "PathOptions")
    properties = ("Name", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties["Name"]
        given = picked(request.properties, self.plain)
        request.call("databrew", "create_dataset", Name=name, Tags=request.tags() or None, **given)
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        request.call("databrew", "update_dataset", Name=request.physical_id, **given)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("databrew", "delete_dataset", Name=request.physical_id)


class Recipe(Provider):
    type = "AWS::DataBrew::Recipe"
    name_property = "Name"
    replaced_by = ("Name",)
    properties = ("Name", "Description", "Steps", "Tags")

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties["Name"]
        request.call(
            "databrew",
            "create_recipe",
            Name=name,
            Steps=_steps(request.properties),
            Description=request.properties.get("Description"),
            Tags=request.tags() or None,
        )
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        request.call(
            "databrew",
            "update_recipe",
            Name=request.physical_id,
            Steps=_steps(request.properties),
            Description=request.properties.get("Description"),
        )
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        """Published versions have to go before the working one."""
        name = request.physical_id
        with ignoring_missing():
            listed = request.call("databrew", "list_recipe_versions", Name=name)
            versions = [recipe["RecipeVersion"] for recipe in listed.get("Recipes", [])]
            for version in [*versions, "LATEST_WORKING"]:
                with ignoring_missing():
                    request.call(
                        "databrew", "delete_recipe_version", Name=name, RecipeVersion=version
                    )


def _steps(properties: Json) -> list[Json]:
    """Template parameters may begin with a capital letter (RecipeParameters); the API's do not."""
    steps = []
    for step in properties["Steps"]:
        action = step["Action"]
        parameters = {
            name[:1].lower() + name[1:]: value
            for name, value in (action.get("Parameters") or {}).items()
        }
        made = {"Operation": action["Operation"]}
        steps.append({**step, "Action": made | ({"Parameters": parameters} if parameters else {})})
    return steps


class Job(Provider):
    type = "AWS::DataBrew::Job"
    name_property = "Name"
    replaced_by = ("Name", "Type", "DatasetName", "Recipe")
    plain = (
        *("RoleArn", "Outputs", "MaxCapacity", "MaxRetries", "Timeout", "LogSubscription"),
        *("DataCatalogOutputs", "DatabaseOutputs", "EncryptionMode"),
    )
    profile = (
        *("RoleArn", "OutputLocation", "JobSample", "ValidationConfigurations", "MaxCapacity"),
        *("MaxRetries", "Timeout", "LogSubscription", "EncryptionMode"),
    )
    properties = (
        *("Name", "Type", "DatasetName", "Recipe", "Tags", *plain),
        *("OutputLocation", "JobSample", "ValidationConfigurations", "ProfileConfiguration"),
    )

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        if given["Type"] == "PROFILE":
            request.call(
                "databrew",
                "create_profile_job",
                Name=given["Name"],
                DatasetName=given.get("DatasetName"),
                Tags=request.tags() or None,
                **self._profile(given),
            )
            return Made(given["Name"])
        recipe = given.get("Recipe", {})
        reference = {"Name": recipe["Name"]} if recipe else None
        if reference is not None and "Version" in recipe:
            reference["RecipeVersion"] = recipe["Version"]
        request.call(
            "databrew",
            "create_recipe_job",
            Name=given["Name"],
            DatasetName=given.get("DatasetName"),
            RecipeReference=reference,
            Tags=request.tags() or None,
            **picked(given, self.plain),
        )
        return Made(given["Name"])

    def _profile(self, properties: Json) -> Json:
        """The API calls Configuration what templates call ProfileConfiguration."""
        given = picked(properties, self.profile)
        if "ProfileConfiguration" in properties:
            given["Configuration"] = properties["ProfileConfiguration"]
        return given

    def update(self, request: ResourceRequest) -> Made:
        name, properties = request.physical_id, request.properties
        if properties["Type"] == "PROFILE":
            request.call("databrew", "update_profile_job", Name=name, **self._profile(properties))
        else:
            given = picked(properties, self.plain)
            request.call("databrew", "update_recipe_job", Name=name, **given)
        return Made(name)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("databrew", "delete_job", Name=request.physical_id)


class Ruleset(Provider):
    type = "AWS::DataBrew::Ruleset"
    name_property = "Name"
    replaced_by = ("Name", "TargetArn")
    properties = ("Name", "Description", "TargetArn", "Rules", "Tags")

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        request.call(
            "databrew",
            "create_ruleset",
            Name=given["Name"],
            TargetArn=given["TargetArn"],
            Rules=_rules(given),
            Description=given.get("Description"),
            Tags=request.tags() or None,
        )
        return Made(given["Name"])

    def update(self, request: ResourceRequest) -> Made:
        request.call(
            "databrew",
            "update_ruleset",
            Name=request.physical_id,
            Rules=_rules(request.properties),
            Description=request.properties.get("Description"),
        )
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("databrew", "delete_ruleset", Name=request.physical_id)


class Project(Provider):
    type = "AWS::DataBrew::Project"
    name_property = "Name"
    replaced_by = ("Name", "DatasetName", "RecipeName")
    properties = ("Name", "DatasetName", "RecipeName", "RoleArn", "Sample", "Tags")

    def create(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, ("DatasetName", "RecipeName", "RoleArn", "Sample"))
        name = request.properties["Name"]
        request.call("databrew", "create_project", Name=name, Tags=request.tags() or None, **given)
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, ("RoleArn", "Sample"))
        request.call("databrew", "update_project", Name=request.physical_id, **given)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("databrew", "delete_project", Name=request.physical_id)


def _rules(properties: Json) -> list[Json]:
    """A template has the substitutions as a list of ValueReference and Value; the API as a map."""
    return [
        {
            **rule,
            **(
                {
                    "SubstitutionMap": {
                        each["ValueReference"]: each["Value"] for each in rule["SubstitutionMap"]
                    }
                }
                if "SubstitutionMap" in rule
                else {}
            ),
        }
        for rule in properties["Rules"]
    ]


PROVIDERS = (Dataset(), Recipe(), Job(), Ruleset(), Project())
