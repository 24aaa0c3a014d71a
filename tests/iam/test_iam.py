"""Users, roles, policies, keys and sessions: kept by this home, with AWS's words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.iam import api as iam_api
from localaws.identity.caller import Caller
from localaws.sts import api as sts_api
from tests.conftest import cases

READ = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::l/*"}
        ],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "glue.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
OWN = "arn:aws:iam::000000000000:policy/own"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def opened(home: Path) -> LocalAws:
    return start(home, [iam_api.service, sts_api.service])


def fill(iam: Any) -> dict[str, str]:
    """A role with an inline and one with an attached policy, a user with a key: the key."""
    iam.create_role(RoleName="reader", Path="/jobs/", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=READ)
    iam.create_role(RoleName="attached", AssumeRolePolicyDocument=TRUST)
    iam.create_policy(PolicyName="own", PolicyDocument=READ)
    iam.attach_role_policy(RoleName="attached", PolicyArn=OWN)
    iam.create_user(UserName="ann")
    key: dict[str, str] = iam.create_access_key(UserName="ann")["AccessKey"]
    return key


def test_everything_is_there_after_a_restart(home: Path) -> None:
    first = opened(home)
    key = fill(first.client("iam"))
    session = first.client("sts").assume_role(
        RoleArn="arn:aws:iam::000000000000:role/jobs/reader", RoleSessionName="run-1"
    )["Credentials"]
    first.stop()

    second = opened(home)
    iam = second.client("iam")
    role = iam.get_role(RoleName="reader")["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/jobs/reader"
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert iam.get_role_policy(RoleName="reader", PolicyName="read")[
        "PolicyDocument"
    ] == json.loads(READ)
    assert iam.list_entities_for_policy(PolicyArn=OWN)["PolicyRoles"][0]["RoleName"] == "attached"
    assert [key["AccessKeyId"] for key in iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]]
    found = second.identity.credential(key["AccessKeyId"])
    assert found is not None
    assert found.secret_access_key == key["SecretAccessKey"]
    known = second.identity.credential(session["AccessKeyId"])
    assert known is not None
    assert known.session_token == session["SessionToken"]
    assert known.caller.arn == "arn:aws:sts::000000000000:assumed-role/reader/run-1"
    second.stop()
    assert not list((home / "moto").glob("*.pickle"))


@pytest.fixture
def local(home: Path) -> Any:
    running = opened(home)
    yield running
    running.stop()


@pytest.fixture
def iam(local: LocalAws) -> Any:
    client = local.client("iam")
    fill(client)
    return client


@pytest.mark.parametrize("case", cases("iam_errors"), ids=itemgetter("why"))
def test_what_iam_refuses(iam: Any, case: dict[str, Any]) -> None:
    params = {name: TRUST if value == "TRUST" else value for name, value in case["params"].items()}

    with pytest.raises(ClientError) as refused:
        getattr(iam, case["operation"])(**params)

    answer = refused.value.response
    assert answer["Error"]["Code"] == case["code"]
    assert case["message"] in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == case["status"]


def test_who_calls_is_who_one_is(local: LocalAws, iam: Any) -> None:
    user = local.acting(Caller("arn:aws:iam::000000000000:user/ann", "0" * 12))
    role = local.acting_as_role(
        "arn:aws:iam::000000000000:role/jobs/reader", "run-1", "glue.amazonaws.com"
    )

    assert local.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    ann = user.client("sts").get_caller_identity()
    assert (ann["Arn"], ann["UserId"]) == (
        "arn:aws:iam::000000000000:user/ann",
        iam.get_user(UserName="ann")["User"]["UserId"],
    )
    run = role.client("sts").get_caller_identity()
    assert run["Arn"] == "arn:aws:sts::000000000000:assumed-role/reader/run-1"
    assert run["UserId"] == iam.get_role(RoleName="reader")["Role"]["RoleId"] + ":run-1"
    assert user.client("iam").get_user()["User"]["UserName"] == "ann"


def test_a_session_lasts_as_long_as_asked_for(local: LocalAws, iam: Any) -> None:
    sts = local.client("sts")
    arn = "arn:aws:iam::000000000000:role/attached"
    now = datetime.now(UTC)

    answer = sts.assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=900)

    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/attached/s1")
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    left = answer["Credentials"]["Expiration"] - now
    assert timedelta(seconds=890) < left < timedelta(seconds=910)
    for seconds, words in ((43_201, "less than or equal"), (3_601, "MaxSessionDuration")):
        with pytest.raises(ClientError, match=words):
            sts.assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=seconds)
    with pytest.raises(
        ClientError, match=r"AccessDenied.* is not authorized to perform: sts:Assume"
    ):
        sts.assume_role(RoleArn=arn + "x", RoleSessionName="s1")
    assert sts.get_session_token()["Credentials"]["SessionToken"]


def test_policies_of_aws_are_there_with_their_documents(iam: Any) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"
    iam.attach_role_policy(RoleName="reader", PolicyArn=arn)

    assert iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"] == [
        {"PolicyName": "AWSGlueServiceRole", "PolicyArn": arn}
    ]
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert policy["AttachmentCount"] == 1
    document = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    actions = document["PolicyVersion"]["Document"]["Statement"][0]["Action"]
    assert "glue:*" in actions
    assert iam.list_policies(Scope="Local")["Policies"][0]["PolicyName"] == "own"
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    assert sum(len(page["Policies"]) for page in pages) > 1_000
    of_services = iam.list_policies(Scope="AWS", PathPrefix="/service-role/")["Policies"]
    assert {policy["Path"] for policy in of_services} == {"/service-role/"}
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.delete_policy(PolicyArn=arn)


def test_a_policy_has_five_versions_at_most(iam: Any) -> None:
    for _ in range(4):
        iam.create_policy_version(PolicyArn=OWN, PolicyDocument=READ, SetAsDefault=True)
    with pytest.raises(ClientError, match=r"LimitExceeded.*up to 5 versions"):
        iam.create_policy_version(PolicyArn=OWN, PolicyDocument=READ)

    iam.delete_policy_version(PolicyArn=OWN, VersionId="v1")

    # A number is not given twice.
    fresh = iam.create_policy_version(PolicyArn=OWN, PolicyDocument=READ)["PolicyVersion"]
    assert (fresh["VersionId"], fresh["IsDefaultVersion"]) == ("v6", False)
    assert iam.get_policy(PolicyArn=OWN)["Policy"]["DefaultVersionId"] == "v5"


def test_an_inactive_key_is_no_key(local: LocalAws, iam: Any) -> None:
    key = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["AccessKeyId"]
    assert local.identity.credential(key) is not None
    iam.update_access_key(UserName="ann", AccessKeyId=key, Status="Inactive")
    assert local.identity.credential(key) is None
    iam.delete_access_key(UserName="ann", AccessKeyId=key)
    iam.delete_user(UserName="ann")
    with pytest.raises(ClientError, match="The user with name ann cannot be found"):
        iam.get_user(UserName="ann")


def test_lists_are_read_page_by_page(iam: Any) -> None:
    for number in range(5):
        iam.create_role(RoleName=f"r{number}", Path="/many/", AssumeRolePolicyDocument=TRUST)
    pages = iam.get_paginator("list_roles").paginate(
        PathPrefix="/many/", PaginationConfig={"PageSize": 2}
    )
    names = [[role["RoleName"] for role in page["Roles"]] for page in pages]
    assert names == [["r0", "r1"], ["r2", "r3"], ["r4"]]


DENY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:CalledVia": "events.amazonaws.com"}},
            },
        ],
    }
)


def test_policies_are_simulated_by_the_evaluation_that_authorises(aws: Any) -> None:
    iam = aws.client("iam")

    def simulate(actions: list[str], **more: Any) -> dict[str, str]:
        answer = iam.simulate_custom_policy(PolicyInputList=[DENY], ActionNames=actions, **more)
        return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}

    assert simulate(["s3:GetObject", "s3:DeleteObject", "glue:GetTable", "sqs:SendMessage"]) == {
        "s3:GetObject": "allowed",
        "s3:DeleteObject": "explicitDeny",
        "glue:GetTable": "implicitDeny",
        "sqs:SendMessage": "implicitDeny",
    }
    via = {
        "ContextKeyName": "aws:CalledVia",
        "ContextKeyType": "stringList",
        "ContextKeyValues": ["events.amazonaws.com"],
    }
    assert simulate(["sqs:SendMessage"], ContextEntries=[via]) == {"sqs:SendMessage": "allowed"}
    bound = {"PermissionsBoundaryPolicyInputList": [READ]}
    assert simulate(["s3:PutObject"], **bound) == {"s3:PutObject": "implicitDeny"}
    told = iam.simulate_custom_policy(PolicyInputList=[DENY], ActionNames=["sqs:SendMessage"])
    assert told["EvaluationResults"][0]["MissingContextValues"] == ["aws:calledvia"]
    with pytest.raises(ClientError, match="Invalid policy document") as caught:
        iam.simulate_custom_policy(PolicyInputList=["{"], ActionNames=["s3:GetObject"])
    assert caught.value.response["Error"]["Code"] == "InvalidInput"


def test_a_roles_own_policies_are_simulated(aws: Any) -> None:
    iam = aws.client("iam")
    role = iam.create_role(RoleName="crawler", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="crawler", PolicyName="read", PolicyDocument=READ)

    answer = iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["s3:GetObject"],
        ResourceArns=["arn:aws:s3:::l/raw", "arn:aws:s3:::other/raw"],
    )

    decisions = {one["EvalResourceName"]: one for one in answer["EvaluationResults"]}
    assert decisions["arn:aws:s3:::l/raw"]["EvalDecision"] == "allowed"
    assert decisions["arn:aws:s3:::l/raw"]["MatchedStatements"] == [
        {"SourcePolicyId": "read", "SourcePolicyType": "IAM Policy"}
    ]
    assert decisions["arn:aws:s3:::other/raw"]["EvalDecision"] == "implicitDeny"
    with pytest.raises(ClientError, match="cannot be found"):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::000000000000:role/nobody", ActionNames=["s3:GetObject"]
        )
