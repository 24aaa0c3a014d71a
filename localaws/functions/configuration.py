"""What a function's configuration may say, and how the API shows it."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from localaws.errors import AwsError, NotEmulated
from localaws.functions import interpreters, packages
from localaws.shapes import Json

RUNTIME = "python3.11"
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-/]+")
# docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html: reserved names and the size.
RESERVED = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_DEFAULT_REGION|AWS_REGION|AWS_EXECUTION_ENV|"
    r"AWS_LAMBDA_.*|AWS_ACCESS_KEY|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|"
    r"LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
ENVIRONMENT_LIMIT_BYTES = 4096
TIMEOUT_SECONDS = range(1, 901)
MEMORY_MB = range(128, 10241)

# The members both CreateFunction and UpdateFunctionConfiguration take.
PARAMETERS = (
    "FunctionName",
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment.Variables",
    "Layers",
    "LoggingConfig.LogFormat",
    "LoggingConfig.LogGroup",
    "LoggingConfig.ApplicationLogLevel",
    "LoggingConfig.SystemLogLevel",
    # Kept and shown; every function reaches what this machine reaches.
    "VpcConfig.SubnetIds",
    "VpcConfig.SecurityGroupIds",
)


def invalid(message: str) -> AwsError:
    """The error for a bad value."""
    return AwsError("InvalidParameterValueException", message)


def check(operation: str, params: Json) -> None:
    """Raises for a value that AWS refuses or that cannot run here."""
    runtime = params.get("Runtime")
    if runtime is not None and interpreters.interpreter(runtime) is None:
        how = interpreters.how_to_get(runtime)
        raise NotEmulated("lambda", operation, f"Runtime={runtime}", how)
    if runtime not in (None, interpreters.LAYERED) and params.get("Layers"):
        raise NotEmulated(
            "lambda",
            operation,
            f"Layers with Runtime={runtime}",
            f"The layer's packages are those of {interpreters.LAYERED}.",
        )
    for arn in params.get("Layers", []):
        if not packages.is_known_layer(arn):
            raise NotEmulated(
                "lambda", operation, f"Layers={arn}", "It has the AWSSDKPandas-Python311 layer."
            )
    role = params.get("Role")
    if role is not None and not ROLE.fullmatch(role):
        raise invalid(f"Role {role!r} is not the ARN of an IAM role.")
    if params.get("Timeout", 3) not in TIMEOUT_SECONDS:
        raise invalid(f"Timeout is {params['Timeout']}; it must be 1 to 900 seconds.")
    if params.get("MemorySize", 128) not in MEMORY_MB:
        raise invalid(f"MemorySize is {params['MemorySize']}; it must be 128 to 10240 MB.")
    if params.get("LoggingConfig", {}).get("LogFormat", "Text") == "Text" and any(
        name in params.get("LoggingConfig", {}) for name in ("ApplicationLogLevel",)
    ):
        raise invalid("ApplicationLogLevel can be set only when LogFormat is JSON.")
    vpc = params.get("VpcConfig", {})
    if bool(vpc.get("SubnetIds")) != bool(vpc.get("SecurityGroupIds")):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    check_environment(params.get("Environment", {}).get("Variables", {}))


def check_environment(variables: dict[str, str]) -> None:
    """Names that Lambda keeps for itself, and the size of them all."""
    taken = sorted(name for name in variables if RESERVED.fullmatch(name))
    if taken:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            f"for modification. Reserved keys used in this request: {', '.join(taken)}"
        )
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_LIMIT_BYTES:
        raise invalid(f"Environment variables are {size} bytes; the limit is 4 KB.")


def apply(configuration: Json, params: Json) -> None:
    """Writes the given members into a configuration."""
    for name in ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize"):
        if name in params:
            configuration[name] = params[name]
    if "Environment" in params:
        configuration["Environment"] = {"Variables": params["Environment"].get("Variables", {})}
    if "Layers" in params:
        configuration["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in params["Layers"]]
    if "VpcConfig" in params:
        subnets = params["VpcConfig"].get("SubnetIds", [])
        groups = params["VpcConfig"].get("SecurityGroupIds", [])
        vpc = "vpc-local" if subnets else ""
        configuration["VpcConfig"] = {
            "SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpc
        }  # fmt: skip
    if "LoggingConfig" in params:
        given = configuration["LoggingConfig"] | params["LoggingConfig"]
        if given["LogFormat"] == "JSON":
            given.setdefault("ApplicationLogLevel", "INFO")
            given.setdefault("SystemLogLevel", "INFO")
        else:
            given.pop("ApplicationLogLevel", None)
            given.pop("SystemLogLevel", None)
        configuration["LoggingConfig"] = given


def fresh(name: str, arn: str) -> Json:
    """A new function's configuration, with AWS's defaults."""
    return {
        "FunctionName": name,
        "FunctionArn": arn,
        "Runtime": RUNTIME,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }


def touch(configuration: Json, now: datetime) -> None:
    """Marks a change: a new revision."""
    configuration["RevisionId"] = str(uuid.uuid4())
    configuration["LastModified"] = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now:%f}"[:3] + "+0000"
