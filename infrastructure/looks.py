"""Looks before anything costs: what would make a deployment fail later, and the way out.

Each look asks one thing of the account. What may not be asked (a deployer without that permission)
is told and no reason to stop; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from configuration.connection import Connection
from configuration.errors import DeploymentError
from infrastructure import code_bucket, names
from infrastructure.regions import REGIONS
from infrastructure.stack import Say

Look = Callable[[Connection], Iterator[str]]
LAKE_PRINCIPAL = "IAM_ALLOWED_PRINCIPALS"


def look(connection: Connection, say: Say) -> None:
    """Raises DeploymentError with every reason at once."""
    wrong: list[str] = []
    for name, one in (HERE if connection.is_local else {**HERE, **IN_AN_ACCOUNT}).items():
        try:
            wrong += one(connection)
        except (ClientError, BotoCoreError) as error:
            say(f"not looked at: {name} ({error})")
    if wrong:
        raise DeploymentError(
            "Nothing was deployed. Before it can be:\n" + "\n".join(f"  {line}" for line in wrong)
        )


def region(connection: Connection) -> Iterator[str]:
    """Every service, the layer and the image are to be had there."""
    if connection.region not in REGIONS:
        yield (
            f"region {connection.region} lacks DataBrew, the awswrangler layer or the XGBoost"
            f" image; {', '.join(REGIONS)} have all."
        )


def buckets(connection: Connection) -> Iterator[str]:
    """The names are nobody else's."""
    for text in (names.RAW, names.LAKE, names.SITE, names.CODE):
        bucket = names.named(text, connection)
        try:
            code_bucket.exists(connection.client("s3"), bucket, connection.account)
        except DeploymentError as error:
            yield str(error)


def key(connection: Connection) -> Iterator[str]:
    """The key of the settings is there, can encrypt, and is in this region."""
    wanted = connection.settings.kms_key
    if not wanted:
        return
    if wanted.split(":")[3] != connection.region:
        yield f"kms_key is of {wanted.split(':')[3]}; S3, SQS and SageMaker take one of their own."
        return
    try:
        found = connection.client("kms").describe_key(KeyId=wanted)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        yield f"kms_key {wanted} is not there."
        return
    if found["KeyState"] != "Enabled" or found["KeySpec"] != "SYMMETRIC_DEFAULT":
        yield (
            f"kms_key {wanted} is {found['KeyState']}, {found['KeySpec']}: it must be Enabled and"
            " SYMMETRIC_DEFAULT."
        )


def quotas(connection: Connection) -> Iterator[str]:
    """One training job and the endpoint at its most, of the instance types in the settings: twice,
    since every update starts a second fleet beside the one that answers
    (https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html)."""
    settings = connection.settings
    training = f"{settings.training_instance_type} for training job usage"
    wanted = {training: ("training_instance_type", 1)}
    if settings.endpoint == "instance":
        usage = f"{settings.endpoint_instance_type} for endpoint usage"
        wanted[usage] = ("endpoint_instance_type", 2 * settings.endpoint_instances_max)
    client = connection.client("service-quotas")
    pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    for name, (setting, machines) in wanted.items():
        quota = found.get(name)
        if quota is not None and quota["Value"] < machines:
            yield (
                f"the account's SageMaker quota {name!r} is {quota['Value']:g}: aws service-quotas"
                f" request-service-quota-increase --service-code sagemaker --quota-code"
                f" {quota['QuotaCode']} --desired-value {machines}, or another {setting}."
            )


def endpoint_kind(connection: Connection) -> Iterator[str]:
    """An endpoint stays on instances, or serverless, as it was made
    (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html)."""
    client, name = connection.client("sagemaker"), names.named(names.ENDPOINT, connection)
    try:
        variants = client.describe_endpoint(EndpointName=name).get("ProductionVariants") or [{}]
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return
        raise
    there = "serverless" if "CurrentServerlessConfig" in variants[0] else "instance"
    wanted = connection.settings.endpoint
    if there != wanted:
        yield (
            f'endpoint = "{wanted}", and the endpoint {name} is "{there}", which SageMaker does not'
            f" change: aws sagemaker delete-endpoint --endpoint-name {name} first; the next run"
            " that publishes makes it anew, and until then nothing answers."
        )


def public_access(connection: Connection) -> Iterator[str]:
    """A website of S3 can be read by everybody, which an account may forbid."""
    if connection.settings.site != "website":
        return
    client = connection.client("s3control")
    try:
        answer = client.get_public_access_block(AccountId=connection.account)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration":
            return
        raise
    block = answer["PublicAccessBlockConfiguration"]
    if block.get("BlockPublicPolicy") or block.get("RestrictPublicBuckets"):
        yield (
            "the account blocks public buckets (S3 Block Public Access), and the page is one:"
            ' site = "cloudfront" serves it from a closed bucket, site = "none" leaves it out.'
        )


def lake_formation(connection: Connection) -> Iterator[str]:
    """New tables are open to IAM's policies, as long as Lake Formation was not told otherwise."""
    settings = connection.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    for kind in ("Database", "Table"):
        defaults = settings.get(f"Create{kind}DefaultPermissions", [])
        principals = {
            entry.get("Principal", {}).get("DataLakePrincipalIdentifier") for entry in defaults
        }
        if LAKE_PRINCIPAL not in principals:
            yield (
                f"Lake Formation gives {LAKE_PRINCIPAL} nothing on a new {kind.lower()}, so that"
                " the roles' policies would not suffice: switch \"Use only IAM access control for"
                f' new {kind.lower()}s" on in its Data Catalog settings.'
            )


HERE: dict[str, Look] = {
    "the region": region,
    "who owns the buckets": buckets,
    "the endpoint": endpoint_kind,
    "the key": key,
}
IN_AN_ACCOUNT: dict[str, Look] = {
    "SageMaker's quotas": quotas,
    "the account's public access block": public_access,
    "Lake Formation": lake_formation,
}
