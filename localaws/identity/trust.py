"""Roles that are handed to a service: whether it may assume them, and its words if not."""

from __future__ import annotations

from localaws.errors import AwsError
from localaws.identity.actions.asked import Place
from localaws.identity.caller import Caller
from localaws.identity.in_force import InForce
from localaws.identity.policy.document import compile_policy
from localaws.identity.policy.evaluation import TRUST, Decision, evaluate_trust
from localaws.identity.policy.request import Request
from localaws.shapes import Json

# What services answer to a role that they may not assume: (code, text). Read from what they
# answered to others; services that look only when they use the role are not here.
REFUSALS = {
    ("lambda", "CreateFunction"): (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    ("stepfunctions", "CreateStateMachine"): (
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is"
        " authorized to assume the provided role.",
    ),
    ("scheduler", "CreateSchedule"): (
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    ("glue", "CreateCrawler"): (
        "InvalidInputException",
        "Service is unable to assume provided role. Please verify role's TrustPolicy",
    ),
    ("sagemaker", "CreateTrainingJob"): (
        "ValidationException",
        "Could not assume role {role}. Please ensure that the role exists and allows principal"
        " 'sagemaker.amazonaws.com' to assume the role.",
    ),
    ("sagemaker", "CreateModel"): (
        "ValidationException",
        'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that'
        ' its trust relationship policy allows the action "sts:AssumeRole" for the service'
        ' principal "sagemaker.amazonaws.com".',
    ),
    ("cloudformation", "CreateStack"): (
        "ValidationError",
        "Role {role} is invalid or cannot be assumed",
    ),
}
SAME = {  # operations that answer as another one
    ("lambda", "UpdateFunctionConfiguration"): ("lambda", "CreateFunction"),
    ("stepfunctions", "UpdateStateMachine"): ("stepfunctions", "CreateStateMachine"),
    ("scheduler", "UpdateSchedule"): ("scheduler", "CreateSchedule"),
    ("glue", "UpdateCrawler"): ("glue", "CreateCrawler"),
    ("cloudformation", "UpdateStack"): ("cloudformation", "CreateStack"),
    ("cloudformation", "CreateChangeSet"): ("cloudformation", "CreateStack"),
    ("sagemaker", "CreateHyperParameterTuningJob"): ("sagemaker", "CreateTrainingJob"),
}
# What aws:SourceArn is when a service assumes a role, where AWS says so: the end of the ARN.
# docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html,
# docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
# GUESSED: Glue, DataBrew, API Gateway, Events and Scheduler name no aws:SourceArn that a trust
#     policy could be held to at creation; aws:SourceAccount all of them do.
SOURCES = {
    ("lambda", "CreateFunction"): ("lambda", "function:{FunctionName}"),
    ("stepfunctions", "CreateStateMachine"): ("states", "stateMachine:{name}"),
    ("sagemaker", "CreateTrainingJob"): ("sagemaker", "training-job/{TrainingJobName}"),
    ("sagemaker", "CreateHyperParameterTuningJob"): (
        "sagemaker",
        "hyper-parameter-tuning-job/{HyperParameterTuningJobName}",
    ),
    ("sagemaker", "CreateModel"): ("sagemaker", "*"),
}


def evaluate(request: Request, in_force: InForce, role_arn: str, caller: Caller) -> Decision:
    """Whether the caller may assume the role. Raises PolicyError."""
    role = in_force.role(role_arn.rpartition("/")[2])
    if role is None or role["shape"]["Arn"] != role_arn:
        return Decision(False, TRUST)
    trust = compile_policy(role_arn, role["shape"]["AssumeRolePolicyDocument"])
    identity = () if caller.is_service else in_force.policies(caller).identity
    return evaluate_trust(request, trust, identity)


def refusal(service: str, operation: str, role_arn: str) -> AwsError | None:
    """The service's error; None for one that finds out when it uses the role."""
    asked = (service, operation)
    found = REFUSALS.get(SAME.get(asked, asked))
    return None if found is None else AwsError(found[0], found[1].format(role=role_arn))


def unassumable(service: str, role_arn: str, principal: str) -> AwsError:
    """What is asked in a session that the service should never have got."""
    return AwsError(
        "AccessDenied" if service == "s3" else "AccessDeniedException",
        f"{principal} is not authorized to perform: sts:AssumeRole on resource: {role_arn} because"
        " no role trust policy allows the sts:AssumeRole action",
        403,
    )


def source_of(service: str, operation: str, params: Json, place: Place) -> str | None:
    """aws:SourceArn while the service looks at a role that it is given."""
    if (service, operation) == ("stepfunctions", "UpdateStateMachine"):
        return str(params["stateMachineArn"])
    found = SOURCES.get((service, operation))
    return place.arn(found[0], found[1].format(**params)) if found else None
