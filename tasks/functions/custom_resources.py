"""CloudFormation custom resources: what its own resource types leave out.

* Custom::PublishedRecipe: jobs may only run published recipes; `AWS::DataBrew::Recipe` never
  publishes one.
* Custom::CsvClassifier: `AWS::Glue::Classifier` cannot name a SerDe.
* Custom::PublishedFunctions: `AWS::Lambda::Version` is one resource for each code, by another name
  each time.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Json = dict[str, Any]
MOST_VERSIONS = 50  # that BatchDeleteRecipeVersion takes
FRESH_ROLE_SECONDS = (2, 4, 8, 16, 32)  # together less than the function's timeout


def handler(event: Json, context: Any) -> None:
    """Tells CloudFormation how it went: the physical id (what Ref gives) and data (GetAtt)."""
    identity = event.get("PhysicalResourceId", "none")
    try:
        identity, data = patiently(
            KINDS[event["ResourceType"]], event["RequestType"], event["ResourceProperties"]
        )
        answer: Json = {"Status": "SUCCESS", "Data": data}
    except Exception as error:  # CloudFormation waits an hour for an answer that never comes
        answer = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    body = {
        **answer,
        "PhysicalResourceId": identity,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT"
    )
    request.add_unredirected_header("Content-Type", "")  # as the signed URL expects
    urllib.request.urlopen(request, timeout=30).close()


def patiently(act: Callable[[str, Json], tuple[str, Json]], *given: Any) -> tuple[str, Json]:
    """What `act` does, tried again while this function's own role is so new that its policy is not
    known everywhere: acts may be repeated."""
    for seconds in FRESH_ROLE_SECONDS:
        try:
            return act(*given)
        except ClientError as error:
            if not error.response["Error"]["Code"].startswith("AccessDenied"):
                raise
            time.sleep(seconds)
    return act(*given)


def published_recipe(request_type: str, properties: Json) -> tuple[str, Json]:
    """Publishes the recipe `RecipeName` as it is; `Version` is the version that came of it."""
    import boto3

    databrew = boto3.client("databrew")
    name = properties["RecipeName"]
    if request_type == "Delete":
        _delete_versions(databrew, name)
        return f"published-{name}", {}
    databrew.publish_recipe(Name=name, Description=properties.get("Hash", ""))
    return f"published-{name}", {"Version": databrew.describe_recipe(Name=name)["RecipeVersion"]}


def _delete_versions(databrew: Any, name: str) -> None:
    """Deletes the published versions of a recipe, if it is still there."""
    try:
        pages = databrew.get_paginator("list_recipe_versions").paginate(Name=name)
        published = [recipe["RecipeVersion"] for page in pages for recipe in page["Recipes"]]
        for start in range(0, len(published), MOST_VERSIONS):
            databrew.batch_delete_recipe_version(
                Name=name, RecipeVersions=published[start : start + MOST_VERSIONS]
            )
    except databrew.exceptions.ResourceNotFoundException:
        return


def published_functions(request_type: str, properties: Json) -> tuple[str, Json]:
    """Publishes each of `Functions` (any name to a function's) as it is now, under the alias of
    the `Release`. Data has the alias's ARN by that name: what calls it goes on calling the same
    code with the same settings, whatever is deployed later."""
    import boto3

    if request_type == "Delete":  # versions go with their functions
        return "published-functions", {}
    client, alias = boto3.client("lambda"), f"release-{properties['Release']}"
    return "published-functions", {
        name: _published(client, function, alias)
        for name, function in properties["Functions"].items()
    }


def _published(client: Any, function: str, alias: str) -> str:
    """The ARN of the alias, which names the function's version of now."""
    version = client.publish_version(FunctionName=function)["Version"]
    named = {"FunctionName": function, "Name": alias, "FunctionVersion": version}
    try:
        return str(client.create_alias(**named)["AliasArn"])
    except client.exceptions.ResourceConflictException:  # of an update that was rolled back
        return str(client.update_alias(**named)["AliasArn"])


def csv_classifier(request_type: str, properties: Json) -> tuple[str, Json]:
    """Creates, changes or deletes the classifier that `Classifier` describes."""
    import boto3

    glue = boto3.client("glue")
    wanted = dict(properties["Classifier"])
    name = wanted["Name"]
    # CloudFormation hands every value over as text.
    wanted["CustomDatatypeConfigured"] = str(wanted["CustomDatatypeConfigured"]).lower() == "true"
    try:
        glue.get_classifier(Name=name)
        exists = True
    except glue.exceptions.EntityNotFoundException:
        exists = False
    if request_type == "Delete":
        if exists:
            glue.delete_classifier(Name=name)
    elif exists:
        glue.update_classifier(CsvClassifier=wanted)
    else:
        glue.create_classifier(CsvClassifier=wanted)
    return name, {}


KINDS: dict[str, Callable[[str, Json], tuple[str, Json]]] = {
    "Custom::PublishedRecipe": published_recipe,
    "Custom::CsvClassifier": csv_classifier,
    "Custom::PublishedFunctions": published_functions,
}
