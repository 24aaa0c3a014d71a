"""A CloudFormation custom resource: publishes a DataBrew recipe, since CloudFormation cannot.

Jobs may only run published versions; `AWS::DataBrew::Recipe` never publishes one.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

Json = dict[str, Any]


def handler(event: Json, context: Any) -> None:
    """Answers CloudFormation with `Version`, the recipe's newest published version."""
    try:
        answer = {"Status": "SUCCESS", "Data": act(event)}
    except Exception as error:  # CloudFormation waits an hour for an answer that never comes
        answer = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    properties = event["ResourceProperties"]
    body = {
        **answer,
        "PhysicalResourceId": f"published-{properties['RecipeName']}",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={}
    )
    request.add_unredirected_header("Content-Type", "")  # as the signed URL expects
    urllib.request.urlopen(request, timeout=30).close()


def act(event: Json) -> Json:
    import boto3

    databrew = boto3.client("databrew")
    name = event["ResourceProperties"]["RecipeName"]
    if event["RequestType"] == "Delete":
        versions = databrew.list_recipe_versions(Name=name, MaxResults=100)["Recipes"]
        published = [version["RecipeVersion"] for version in versions]
        if published:
            databrew.batch_delete_recipe_version(Name=name, RecipeVersions=published)
        return {}
    databrew.publish_recipe(Name=name, Description=event["ResourceProperties"].get("Hash", ""))
    return {"Version": databrew.describe_recipe(Name=name)["RecipeVersion"]}
