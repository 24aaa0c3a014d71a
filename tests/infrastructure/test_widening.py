"""What a change of the template lets anybody do that nobody could do before."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from infrastructure import resolved, template
from infrastructure.widening import widenings

VALUES = {"AWS::StackName": "rebuy", "DatabaseName": "rebuy"}
BASE: dict[str, Any] = {
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "glue.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": "1"}},
                    }
                ]
            },
            "PermissionsBoundary": "arn:boundary",
            "Policies": [
                {
                    "PolicyName": "work",
                    "PolicyDocument": {
                        "Statement": [
                            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b/a/*"]},
                            {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["b/secret/*"]},
                        ]
                    },
                }
            ],
        },
    },
    "Bucket": {
        "Type": "AWS::S3::Bucket",
        "Properties": {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}},
    },
    "Tls": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": "b",
            "PolicyDocument": {
                "Statement": [
                    {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "b/*"}
                ]
            },
        },
    },
    "Route": {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {"RouteKey": "POST /predict", "AuthorizationType": "AWS_IAM"},
    },
}


def statements(base: dict[str, Any]) -> list[Any]:
    policy = base["Role"]["Properties"]["Policies"][0]
    return policy["PolicyDocument"]["Statement"]  # type: ignore[no-any-return]


def trust(base: dict[str, Any]) -> dict[str, Any]:
    document = base["Role"]["Properties"]["AssumeRolePolicyDocument"]
    return document["Statement"][0]  # type: ignore[no-any-return]


# (what is changed, what is told)
CHANGES = [
    ("nothing", lambda b: None, []),
    (
        "an action",
        lambda b: statements(b)[0]["Action"].append("s3:PutObject"),
        ["Role may s3:PutObject on b/a/*"],
    ),
    (
        "a wider resource",
        lambda b: statements(b)[0].update(Resource=["b/*"]),
        ["Role may s3:GetObject on b/*"],
    ),
    ("a narrower resource", lambda b: statements(b)[0].update(Resource=["b/a/x/*"]), []),
    ("fewer actions", lambda b: statements(b).pop(0), []),
    (
        "a denial that is gone",
        lambda b: statements(b).pop(1),
        ["Role is no longer kept from s3:* on b/secret/*"],
    ),
    (
        "a condition that is gone",
        lambda b: trust(b).pop("Condition"),
        ["glue.amazonaws.com (trust) may sts:AssumeRole on Role"],
    ),
    (
        "whom the role trusts",
        lambda b: trust(b).update(Principal={"AWS": "*"}),
        ['everybody (trust) may sts:AssumeRole on Role if {"StringEquals": {"aws:SourceAccount":'],
    ),
    (
        "the boundary",
        lambda b: b["Role"]["Properties"].pop("PermissionsBoundary"),
        ["Role is no longer kept from what its boundary does not allow on Role"],
    ),
    (
        "a managed policy",
        lambda b: b["Role"]["Properties"].update(ManagedPolicyArns=["arn:aws:iam::aws:policy/A"]),
        ["Role may everything of on arn:aws:iam::aws:policy/A"],
    ),
    (
        "the block of public policies",
        lambda b: b["Bucket"]["Properties"].clear(),
        ["everybody is no longer kept from what BlockPublicPolicy blocks on Bucket"],
    ),
    ("a bucket that is gone", lambda b: b.pop("Bucket"), []),
    (
        "TLS",
        lambda b: b.pop("Tls"),
        ["everybody is no longer kept from s3:* on b/*"],
    ),
    (
        "an open API",
        lambda b: b["Route"]["Properties"].pop("AuthorizationType"),
        ["everybody may call on API POST /predict"],
    ),
]


@pytest.mark.parametrize(("change", "told"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_more_than_before_is_told_and_less_is_not(change: Any, told: list[str]) -> None:
    after = copy.deepcopy(BASE)
    change(after)
    found = widenings(BASE, after)
    assert len(found) == len(told), found
    assert all(line.startswith(words) for line, words in zip(found, told, strict=True)), found


def test_one_more_action_in_the_products_own_template_is_told_with_its_names() -> None:
    whole = template.template()
    before = resolved.resources(whole, VALUES)
    changed = copy.deepcopy(whole)
    policy = changed["Resources"]["JudgeModelRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"][0]["Action"].append("s3:PutObject")
    found = widenings(before, resolved.resources(changed, VALUES))
    where = "arn:${AWS::Partition}:s3:::rebuy-lake-${AWS::AccountId}-${AWS::Region}/runs/*"
    assert found == [f"JudgeModelRole may s3:PutObject on {where}"]


def test_a_resource_whose_condition_does_not_hold_is_not_there() -> None:
    whole = template.template()
    none = resolved.resources(whole, {**VALUES, "NotificationEmail": ""})
    some = resolved.resources(whole, {**VALUES, "NotificationEmail": "a@b.example"})
    assert set(some) - set(none) == {"NotificationEmailSubscription"}
