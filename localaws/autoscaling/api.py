"""Application Auto Scaling of SageMaker's endpoints: targets and policies are kept.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html. Nothing is scaled:
an endpoint here is one process, whatever DesiredInstanceCount says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.identity.actions.exceptions import linked_role
from localaws.sagemaker.names import ENDPOINT
from localaws.shapes import Json

TARGET = "scaling-target"  # documents: resource -> {"target", "tags"}
ROLE = "scaling-role"  # documents: the service's own role, made for the account's first target
POLICY = "scaling-policy"  # documents: resource|name -> the policy as described
NAME = "application-autoscaling"
NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
PLACE = ("ServiceNamespace", "ResourceId", "ScalableDimension")
TRACKING = "TargetTrackingScalingPolicyConfiguration"
PAGE = 50


def service(aws: LocalAws) -> Service:
    built = Service(NAME, notes="Variants of SageMaker's endpoints alone.")
    scaling = Scaling(aws)
    scaling.register(built)
    aws.authorize.lookups[NAME] = scaling.tagged
    return built


class Scaling:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        take = service.operation
        take("RegisterScalableTarget", *PLACE, "MinCapacity", "MaxCapacity", "Tags")(self.put)
        take("DeregisterScalableTarget", *PLACE)(self.delete)
        take(
            *("DescribeScalableTargets", "ServiceNamespace", "ResourceIds", "ScalableDimension"),
            *("MaxResults", "NextToken"),
        )(self.describe)
        take(
            *("PutScalingPolicy", *PLACE, "PolicyName", "PolicyType", TRACKING),
        )(self.put_policy)
        take("DeleteScalingPolicy", *PLACE, "PolicyName")(self.delete_policy)
        take(
            *("DescribeScalingPolicies", "ServiceNamespace", "ResourceId", "ScalableDimension"),
            *("PolicyNames", "MaxResults", "NextToken"),
        )(self.describe_policies)

    def tagged(self, operation: str, params: Json) -> Json:
        """The tags that the target has, for conditions on them, and whether none was there ever."""
        kept = self._documents.get(TARGET, str(params.get("ResourceId", "")))
        first = self._documents.get(ROLE, linked_role(self._aws.account)) is None
        return params | {"resource_tags": kept["tags"] if kept else {}, "first_target": first}

    def put(self, call: Call) -> Json:
        """Registers a variant that is there, or changes its bounds."""
        name, params = self._place(call), call.params
        kept = self._documents.get(TARGET, name)
        if kept is None and not self._there(name):
            raise _invalid(f"The {name} resource doesn't exist")
        target = kept["target"] if kept else {
            **{member: params[member] for member in PLACE},
            "ScalableTargetARN": self._arn(name),
            "RoleARN": linked_role(self._aws.account),
            "CreationTime": self._aws.clock.now(),
            "SuspendedState": dict.fromkeys(
                (
                    *("DynamicScalingInSuspended", "DynamicScalingOutSuspended"),
                    "ScheduledScalingSuspended",
                ),
                False,
            ),
        }  # fmt: skip
        target |= {name: params[name] for name in ("MinCapacity", "MaxCapacity") if name in params}
        if not {"MinCapacity", "MaxCapacity"} <= target.keys():
            raise _invalid("MinCapacity and MaxCapacity are required for a new scalable target")
        if target["MinCapacity"] > target["MaxCapacity"]:
            raise _invalid("Maximum capacity cannot be less than minimum capacity")
        tags = kept["tags"] if kept else params.get("Tags", {})
        self._documents.put(ROLE, target["RoleARN"], {})
        self._documents.put(TARGET, name, {"target": target, "tags": tags})
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def delete(self, call: Call) -> Json:
        """With its policies."""
        name = self._place(call)
        if not self._documents.delete(TARGET, name):
            raise _missing(name)
        for key, policy in self._documents.items(POLICY):
            if policy["ResourceId"] == name:
                self._documents.delete(POLICY, key)
        return {}

    def describe(self, call: Call) -> Json:
        wanted = call.params.get("ResourceIds")
        there = (
            (name, kept["target"])
            for name, kept in self._documents.items(TARGET)
            if not wanted or name in wanted
        )
        return self._page(call, "ScalableTargets", there)

    def put_policy(self, call: Call) -> Json:
        name, params = self._place(call), call.params
        if self._documents.get(TARGET, name) is None:
            raise _missing(name)
        if params.get("PolicyType") != "TargetTrackingScaling":
            raise NotEmulated(NAME, call.operation, "PolicyType", "Taken is TargetTrackingScaling.")
        key = f"{name}|{params['PolicyName']}"
        kept = self._documents.get(POLICY, key) or {
            "PolicyARN": f"{self._arn(name)}:policyName/{params['PolicyName']}",
            "CreationTime": self._aws.clock.now(),
            "Alarms": [],
        }
        members = (*PLACE, "PolicyName", "PolicyType", TRACKING)
        kept |= {member: params[member] for member in members}
        self._documents.put(POLICY, key, kept)
        return {"PolicyARN": kept["PolicyARN"], "Alarms": []}

    def delete_policy(self, call: Call) -> Json:
        name = self._place(call)
        if not self._documents.delete(POLICY, f"{name}|{call.params['PolicyName']}"):
            raise AwsError("ObjectNotFoundException", f"No scaling policy found for {name}")
        return {}

    def describe_policies(self, call: Call) -> Json:
        wanted, names = call.params.get("ResourceId"), call.params.get("PolicyNames")
        there = (
            (key, policy)
            for key, policy in self._documents.items(POLICY)
            if wanted in (None, policy["ResourceId"])
            and (not names or policy["PolicyName"] in names)
        )
        return self._page(call, "ScalingPolicies", there)

    def _page(self, call: Call, member: str, there: Iterable[tuple[str, Json]]) -> Json:
        most = int(call.params.get("MaxResults", PAGE))
        found = page(there, call.params.get("NextToken"), most, invalid=_invalid_token)
        return {member: found.items, **found.next()}

    def _place(self, call: Call) -> str:
        params = call.params
        for member, only in (("ServiceNamespace", NAMESPACE), ("ScalableDimension", DIMENSION)):
            if params[member] != only:
                raise NotEmulated(NAME, call.operation, member, f"Taken is {only}.")
        return str(params["ResourceId"])

    def _there(self, resource: str) -> bool:
        """Whether the variant is one of an endpoint that is in service."""
        named = RESOURCE.fullmatch(resource)
        kept = self._documents.get(ENDPOINT, named[1]) if named else None
        return kept is not None

    def _arn(self, name: str) -> str:
        aws = self._aws
        return (
            f"arn:aws:application-autoscaling:{aws.region}:{aws.account}:scalable-target/"
            + name.replace("/", "-")
        )


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationException", text)


def _invalid_token(text: str) -> AwsError:
    return AwsError("InvalidNextTokenException", text)


def _missing(name: str) -> AwsError:
    return AwsError(
        "ObjectNotFoundException",
        f"No scalable target found for service namespace: {NAMESPACE}, resource ID: {name},"
        f" scalable dimension: {DIMENSION}",
    )
