"""CloudFormation custom resources: what its own resource types leave out.

* Custom::PublishedRecipe: jobs may only run published recipes; `AWS::DataBrew::Recipe` never
  publishes one.
* Custom::CsvClassifier: `AWS::Glue::Classifier` cannot name a SerDe.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def handler(event: Json, context: Any) -> None:
    """Tells CloudFormation how it went: the physical id (what Ref gives) and data (GetAtt)."""
    identity = event.get("PhysicalResourceId", "none")
    try:
        act = KINDS[event["ResourceType"]]
        identity, data = act(event["RequestType"], event["ResourceProperties"])
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


def published_recipe(request_type: str, properties: Json) -> tuple[str, Json]:
    """Publishes the recipe `RecipeName` as it is; `Version` is the version that came of it."""
    import boto3

    databrew = boto3.client("databrew")
    name = properties["RecipeName"]
    if request_type == "Delete":
        versions = databrew.list_recipe_versions(Name=name, MaxResults=100)["Recipes"]
        published = [version["RecipeVersion"] for version in versions]
        if published:
            databrew.batch_delete_recipe_version(Name=name, RecipeVersions=published)
        return f"published-{name}", {}
    databrew.publish_recipe(Name=name, Description=properties.get("Hash", ""))
    return f"published-{name}", {"Version": databrew.describe_recipe(Name=name)["RecipeVersion"]}


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
}
