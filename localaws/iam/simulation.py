"""SimulatePrincipalPolicy, SimulateCustomPolicy: what the evaluation that authorises calls would
say. Nothing is done and nothing noted.

Trust policies and service control policies are not simulated, as on AWS. Positions of statements
in their documents are not told.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.iam.rules import no_such, page
from localaws.identity.caller import Caller
from localaws.identity.in_force import InForce
from localaws.identity.policy.conditions import PolicyError
from localaws.identity.policy.document import Policy, compile_policy
from localaws.identity.policy.evaluation import Decision, Policies, evaluate
from localaws.identity.policy.request import Principal, Request, Value
from localaws.identity.store import ROLE_KIND, USER
from localaws.shapes import Json

COMMON = (
    *("ActionNames", "ResourceArns", "ResourcePolicy", "ResourceOwner", "CallerArn"),
    *("ContextEntries.ContextKeyName", "ContextEntries.ContextKeyType"),
    *("ContextEntries.ContextKeyValues", "PolicyInputList"),
    *("PermissionsBoundaryPolicyInputList", "Marker", "MaxItems"),
)


class Simulations:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._in_force = InForce(aws.identity)

    def register(self, service: Service) -> None:
        service.operation("SimulatePrincipalPolicy", "PolicySourceArn", *COMMON)(self.principal)
        service.operation("SimulateCustomPolicy", *COMMON)(self.custom)

    def principal(self, call: Call) -> Json:
        """The policies of a user or role, with those that are given beside them."""
        arn = call.params["PolicySourceArn"]
        caller = self._caller(arn)
        there = self._in_force.policies(caller)
        given = given_policies(call.params, "PolicyInputList")
        bounds = given_policies(call.params, "PermissionsBoundaryPolicyInputList")
        policies = Policies(
            [*there.identity, *given], boundary=bounds if bounds else there.boundary
        )
        return self._answer(call.params, arn, policies)

    def custom(self, call: Call) -> Json:
        """The given policies alone."""
        bounds = given_policies(call.params, "PermissionsBoundaryPolicyInputList")
        policies = Policies(
            given_policies(call.params, "PolicyInputList"), boundary=bounds if bounds else None
        )
        who = f"arn:aws:iam::{self._aws.account}:user/simulated"
        return self._answer(call.params, str(call.params.get("CallerArn", who)), policies)

    def _caller(self, arn: str) -> Caller:
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        stored = {"user": USER, "role": ROLE_KIND}.get(kind)
        if stored is None or self._aws.identity.documents.get(stored, name) is None:
            raise no_such(f"The principal {arn} cannot be found.")
        if kind == "user":
            return Caller(f"arn:aws:iam::{self._aws.account}:user/{name}", self._aws.account)
        session = f"arn:aws:sts::{self._aws.account}:assumed-role/{name}/simulation"
        return Caller(session, self._aws.account)

    def _answer(self, params: Json, arn: str, policies: Policies) -> Json:
        if params.get("ResourcePolicy"):
            policy = compiled("ResourcePolicy", params["ResourcePolicy"])
            policies = Policies(
                policies.identity, policy, policies.boundary, owner=owner_of(params)
            )
        keys = context_of(params, arn)
        role = arn if ":role/" in arn else None
        principal = Principal(str(params.get("CallerArn", arn)), self._aws.account, role)
        wanted = list(product(params["ActionNames"], params.get("ResourceArns") or ["*"]))
        results = []
        for action, resource in wanted:
            request = Request(principal, action, resource, keys)
            results.append(result(request, evaluate(request, policies), policies))
        return page("EvaluationResults", results, params)


def result(request: Request, decision: Decision, policies: Policies) -> Json:
    """One entry of EvaluationResults."""
    word = "allowed" if decision.allowed else "implicitDeny"
    told: Json = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": "explicitDeny" if decision.explicit else word,
        "MatchedStatements": [
            {"SourcePolicyId": policy.name, "SourcePolicyType": "IAM Policy"}
            for policy, _ in decision.statements
        ],
        "MissingContextValues": missing(request, policies.identity),
    }
    if policies.boundary is not None:
        inside = evaluate(request, Policies(policies.boundary)).allowed
        told["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": inside}
    return told


def missing(request: Request, policies: Iterable[Policy]) -> list[str]:
    """The keys that conditions ask for and the simulation was not given."""
    asked = {
        condition.key
        for policy in policies
        for statement in policy.statements
        if statement.covers_action(request.action)
        for condition in statement.conditions
    }
    return sorted(asked - set(request.context))


def given_policies(params: Json, member: str) -> list[Policy]:
    return [
        compiled(f"{member}.{number}", text)
        for number, text in enumerate(params.get(member, ()), start=1)
    ]


def compiled(name: str, text: str) -> Policy:
    try:
        return compile_policy(name, text)
    except (PolicyError, ValueError) as error:
        raise AwsError("InvalidInput", f"Invalid policy document {name}: {error}") from error


def context_of(params: Json, arn: str) -> Mapping[str, Value]:
    keys: dict[str, Value] = {"aws:principalarn": arn}
    for entry in params.get("ContextEntries", ()):
        values: Sequence[str] = entry.get("ContextKeyValues", ())
        many = str(entry.get("ContextKeyType", "")).endswith("List")
        keys[entry["ContextKeyName"].lower()] = tuple(values) if many else "".join(values[:1])
    return keys


def owner_of(params: Json) -> str | None:
    owner = params.get("ResourceOwner")
    return str(owner).split(":")[4] if owner and str(owner).startswith("arn:") else owner
