"""A deployment: what an endpoint configuration means when it is deployed, and the server of it.

It has its own copy of everything, since models and configurations may be deleted afterwards: the
configuration's name, its variant and data capture, container, role, network, and a folder.
"""

from __future__ import annotations

import uuid

from localaws.core.aws import LocalAws
from localaws.core.log_shipping import LogShipper
from localaws.sagemaker.model_process import ModelProcess, NotServing, Serves, unpack
from localaws.sagemaker.names import ENDPOINT_CONFIG, MODEL, find
from localaws.sagemaker.principals import acting
from localaws.shapes import Json


def plan(aws: LocalAws, name: str, config_name: str) -> Json:
    """Of the endpoint `name`, by the configuration and its model as they are now."""
    config = find(aws, ENDPOINT_CONFIG, config_name)["describe"]
    variant = config["ProductionVariants"][0]
    model = find(aws, MODEL, variant["ModelName"])["describe"]
    folder = aws.home.directory(f"endpoints/{name}") / uuid.uuid4().hex[:12]
    return {
        "config": config_name,
        "variant": variant,
        "capture": config.get("DataCaptureConfig"),
        "container": model["PrimaryContainer"],
        "role": model.get("ExecutionRoleArn"),
        "network": model.get("VpcConfig"),
        "folder": str(folder.relative_to(aws.home.root)),
    }


class EndpointServer(ModelProcess):
    """A deployment's model server; `role` is the AWS as its execution role sees it."""

    new = False  # while an update shifts requests to it

    def __init__(self, role: LocalAws, logs: LogShipper, name: str, plan: Json) -> None:
        self.role, self.plan = role, plan
        serves = Serves(f"endpoint {name}", f"/aws/sagemaker/Endpoints/{name}",
                        plan["variant"]["VariantName"])  # fmt: skip
        super().__init__(role, logs, serves, role.home.root / plan["folder"], plan["container"])


def launch(aws: LocalAws, logs: LogShipper, name: str, plan: Json) -> EndpointServer:
    """A server that answers /ping. NotServing otherwise."""
    folder = aws.home.root / plan["folder"]
    role = acting(aws, plan.get("role"))
    if not (folder / "model").is_dir():
        unpack(role, plan["container"], folder, plan.get("network"))
        for file in folder.rglob("*"):
            aws.durability.wrote(file, folder.parent)
    server = EndpointServer(role, logs, name, plan)
    try:
        server.wait_until_serving()
    except NotServing:
        server.stop(0)
        raise
    return server


def summary(plan: Json, now: object) -> Json:
    """A deployment as DescribeEndpoint shows it."""
    variant = plan["variant"]
    image = plan["container"]["Image"]
    shown: Json = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}
        ],
        "CurrentWeight": variant["InitialVariantWeight"],
        "DesiredWeight": variant["InitialVariantWeight"],
    }
    if "ServerlessConfig" in variant:
        shown["CurrentServerlessConfig"] = variant["ServerlessConfig"]
    else:
        count = variant["InitialInstanceCount"]
        shown |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    return shown
