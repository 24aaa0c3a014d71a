"""A role with the policies that `rebuy deploy --permissions` prints, and no others, deploys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from configuration.connection import Connection
from configuration.settings import Settings
from infrastructure import destroy, template
from infrastructure.deploy import deploy
from localaws.identity.uses import FILE
from rebuy.cli import local
from rebuy.validation import deployer
from tests.infrastructure.left import leave_what_runs_leave

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A local AWS that enforces policies: its folder and URL."""
    server = local.up(tmp_path / "home", 0, 0.02)
    yield tmp_path / "home", server.url
    local.down(tmp_path / "home")


def connection(url: str, **settings: Any) -> Connection:
    quiet = {"schedule_state": "DISABLED", "upload_trigger": "DISABLED"}
    return Connection(Settings(endpoint_url=url, **{**quiet, **settings}))


def test_deploying_updating_and_destroying_need_no_more_than_is_printed(
    home: tuple[Path, str],
) -> None:
    folder, url = home
    root = connection(url)
    iam = root.client("iam")
    arn = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    place = {"stack": "rebuy", "account": root.account, "region": root.region}
    for name, document in deployer.policies(template.template(), **place).items():
        text = json.dumps(document, separators=(",", ":"))
        assert len(text) <= deployer.MOST_CHARACTERS
        made = iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="deployer", PolicyArn=made)
    keys = root.client("sts").assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]

    def as_deployer(**settings: Any) -> Connection:
        connected = connection(url, **settings)
        connected.clients._session = boto3.Session(
            *(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]), root.region
        )
        return connected

    deploy(as_deployer(), lambda line: None)
    key = root.client("kms").create_key(Policy=documented_key_policy(root))
    protected = {
        "kms_key": key["KeyMetadata"]["Arn"],
        "vpc_subnets": ("subnet-1", "subnet-2"),
        "vpc_security_groups": ("sg-1",),
        "vpc_availability_zone": f"{root.region}a",
        **{"endpoint_instances_min": 2, "endpoint_instances_max": 2},
        **{"endpoint_canary_percent": 10, "capture_percent": 5},
    }
    deploy(as_deployer(**protected), lambda line: None)
    leave_what_runs_leave(root, "rebuy")
    destroy.destroy(as_deployer(), lambda line: None, with_data=True)

    uses = [json.loads(line) for line in (folder / FILE).read_text().splitlines()]
    own = [use for use in uses if use["principal"] == arn]
    assert len(own) > 300
    assert [use for use in own if use["refusal"]] == []


def documented_key_policy(connection: Connection) -> str:
    """The one of docs/security.md, for this account and region."""
    page = Path("docs/security.md").read_text()
    (policy,) = re.findall(r"```json\n(.*?Encrypt.*?)```", page, re.DOTALL)
    here = policy.replace("111122223333", connection.account)
    return str(here.replace("eu-west-1", connection.region))


def test_a_stage_reaches_no_name_of_another() -> None:
    """What belongs to nobody by its name (APIs, distributions, shared log groups) is not told."""
    place = {"account": "111122223333", "region": "us-east-1"}

    def resources(stack: str) -> set[str]:
        found = deployer.policies(template.template(), stack=stack, **place).values()
        statements = [statement for one in found for statement in one["Statement"]]
        return {text for one in statements for text in texts(one["Resource"])}

    short, long = resources("rebuy"), resources("rebuy-dev")
    own = {text.replace("*", "x") for text in long - short}
    assert len(own) > 100
    assert {one for one in own for text in short if text != "*" and matches(text, one)} == set()


def texts(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def test_types_of_resources_bring_the_actions_of_their_handlers() -> None:
    bucket = {"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}
    assert {"s3:CreateBucket", "s3:PutLifecycleConfiguration"} <= deployer.actions(bucket)
    assert "dynamodb:CreateTable" not in deployer.actions(bucket)
    assert "dynamodb:CreateTable" in deployer.actions(template.template())
    unknown = {
        resource["Type"]
        for resource in template.template()["Resources"].values()
        if not resource["Type"].startswith("Custom::")
    } - {kind for kind, actions in deployer.handled().items() if actions}
    assert unknown == set()
