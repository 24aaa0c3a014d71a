"""Pin live model: notes what is live below the run, so that it can be compared and put back."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from tasks.functions import asked_lines, published_views, storage

Json = dict[str, Any]

# In these states the endpoint answers with its configuration's model.
SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}


def handler(event: Json, context: Any) -> Json:
    """`event`: {run}. Answers {endpoint_status, endpoint_config, model, model_uri, sha256}, all
    null when nothing is live. Writes `champion/model.tar.gz` and what it was asked lately to
    `champion/asked.json`, or `champion/none.json`, and the definitions of the published views to
    `live_views.json`."""
    import boto3

    s3 = boto3.client("s3")
    bucket = os.environ["LAKE_BUCKET"]
    prefix = f"runs/run={event['run']['id']}/champion"
    views = published_views.read(boto3.client("glue"), os.environ["DATABASE"])
    storage.write_json(s3, bucket, published_views.key(event["run"]["id"]), views)
    live = find(boto3.client("sagemaker"), os.environ["ENDPOINT_NAME"])
    if live["model_uri"] is None:
        storage.write_json(s3, bucket, f"{prefix}/none.json", {"live": None})
        return {**live, "sha256": None}
    asked = asked_lines.summed(
        boto3.client("logs"), os.environ["ENDPOINT_NAME"], datetime.now(timezone.utc)
    )
    storage.write_json(s3, bucket, f"{prefix}/asked.json", asked)
    source = urlsplit(live["model_uri"])
    key = f"{prefix}/model.tar.gz"
    s3.copy_object(
        Bucket=bucket,
        Key=key,
        CopySource={"Bucket": source.netloc, "Key": source.path.lstrip("/")},
    )
    return {**live, "sha256": storage.describe(s3, bucket, key)["sha256"]}


def find(sagemaker: Any, endpoint: str) -> Json:
    """What serves behind the endpoint now: {endpoint_status, endpoint_config, model, model_uri}."""
    nothing = {"endpoint_status": None, "endpoint_config": None, "model": None, "model_uri": None}
    try:
        found = sagemaker.describe_endpoint(EndpointName=endpoint)
    except sagemaker.exceptions.ClientError as error:
        # DescribeEndpoint models no error of its own for this.
        if "Could not find" in error.response["Error"]["Message"]:
            return nothing
        raise
    if found["EndpointStatus"] not in SERVING:
        return {**nothing, "endpoint_status": found["EndpointStatus"]}
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    model = config["ProductionVariants"][0]["ModelName"]
    container = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    return {
        "endpoint_status": found["EndpointStatus"],
        "endpoint_config": found["EndpointConfigName"],
        "model": model,
        "model_uri": container["ModelDataUrl"],
    }
