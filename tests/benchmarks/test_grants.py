"""The attacks on grants give back what was asked for, by name, and know what nothing needs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.attack.grants_around import AROUND
from benchmarks.attack.statements import Grants, Role
from benchmarks.attack.unneeded import UNNEEDED
from infrastructure import template
from localaws.identity.authorization import Mode
from localaws.sagemaker.principals import acting
from tests.identity.test_enforcement import role, statement


def test_what_is_said_to_need_nothing_is_a_statement_of_the_template() -> None:
    there = set()
    roles = {
        name: one["Properties"]
        for name, one in template.template()["Resources"].items()
        if one["Type"] == "AWS::IAM::Role"
    }
    for name, properties in roles.items():
        for policy in properties["Policies"]:
            document = policy.get("Fn::If", [None, policy])[1]["PolicyDocument"]
            there |= {(name, one["Action"][0]) for one in document["Statement"]}
    assert UNNEEDED.keys() <= there
    assert roles.keys() >= AROUND


def test_statements_come_back_one_after_the_other(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    aws = start(tmp_path / "home", factories(), wait_scale=0, policies=Mode.ENFORCE)
    try:
        aws.client("s3").create_bucket(Bucket="lake")
        aws.client("s3").put_object(Bucket="lake", Key="a", Body=b"x")
        iam, arn = aws.client("iam"), role(aws, "worker", "sagemaker")
        named = {"RoleName": "worker"}
        more = {
            "work": [statement("s3:ListBucket"), statement("s3:GetObject")],
            "more": [statement("sqs:ListQueues")],
        }
        for policy, found in more.items():
            document = json.dumps({"Version": "2012-10-17", "Statement": found})
            iam.put_role_policy(**named, PolicyName=policy, PolicyDocument=document)
        product: Any = SimpleNamespace(home=tmp_path / "home")
        mine = Role.of(iam, "worker", "WorkerRole")
        grants = Grants(product, {arn: mine})
        assert grants.take_all() == 3
        assert iam.list_role_policies(**named)["PolicyNames"] == []
        worker = acting(aws, arn)

        def attempt() -> str | None:
            s3 = worker.client("s3")
            try:
                s3.list_objects_v2(Bucket="lake")
            except ClientError as error:
                return str(error)
            try:
                s3.get_object(Bucket="lake", Key="a")
            except ClientError:
                return "it went wrong"
            return None

        first, second = grants.pursue("a look", attempt)
        assert first == "a look: WorkerRole: s3:ListBucket (s3:ListBucket)"
        assert second.startswith("a look: WorkerRole: s3:GetObject (s3:GetObject) is not named by:")
        assert list(grants.pursue("nothing", lambda: "no coffee left")) == [
            "WRONG nothing failed, and nothing was refused: no coffee left"
        ]
        wrong, summary = grants.end()
        assert wrong == "WRONG not needed: WorkerRole: sqs:ListQueues"
        assert summary.startswith("1 statements named by what was seen of a failure, 1 by")
        assert sorted(iam.list_role_policies(**named)["PolicyNames"]) == ["more", "work"]
    finally:
        aws.stop()
