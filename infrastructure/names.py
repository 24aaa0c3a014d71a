"""Names that several resources, policies and states agree on, as `Fn::Sub` fills them in."""

from __future__ import annotations

from configuration.connection import Connection

# Names are given rather than generated wherever a policy or a state has to know them.
RAW = "${AWS::StackName}-raw-${AWS::AccountId}-${AWS::Region}"
LAKE = "${AWS::StackName}-lake-${AWS::AccountId}-${AWS::Region}"
SITE = "${AWS::StackName}-site-${AWS::AccountId}-${AWS::Region}"
CODE = "${AWS::StackName}-code-${AWS::AccountId}-${AWS::Region}"
RAW_ARN = "arn:${AWS::Partition}:s3:::" + RAW
CODE_ARN = "arn:${AWS::Partition}:s3:::" + CODE
LAKE_ARN = "arn:${AWS::Partition}:s3:::" + LAKE
RAW_DATABASE = "${DatabaseName}_raw"
MAPPED_DATABASE = "${DatabaseName}_mapped"
# Where the five tables are: the crawler's, or those that a mapping makes.
FIVE_TABLES = "${DatabaseName}_${FiveTables}"
DATABASE = "${DatabaseName}"
WORK_GROUP = "${AWS::StackName}"
ENDPOINT = "${AWS::StackName}"
MODEL_PACKAGE_GROUP = "${AWS::StackName}"
STATE_MACHINE = "${AWS::StackName}-purchase-prediction"
JOIN_FEATURES = "${AWS::StackName}-join-features"
READ_DATABASE = "${AWS::StackName}-read-database"
SOURCE_DATABASE = "${AWS::StackName}-database"
DATABASE_SECRET = (
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${DatabaseSecret}"
)
NETWORK = "${AWS::StackName}-network"
CRAWLER = "${AWS::StackName}-raw"
START_ON_UPLOAD = "${AWS::StackName}-start-on-upload"
TRIGGER_TABLE = "${AWS::StackName}-upload-trigger"
UPLOAD_RULE = "${AWS::StackName}-upload"
SETTLE = "${AWS::StackName}-settle"
DAILY = "${AWS::StackName}-daily"
UNDELIVERED = "${AWS::StackName}-undelivered"
NOTIFICATIONS = "${AWS::StackName}-notifications"
NOTIFY = "${AWS::StackName}-notify"
EXPIRE = "${AWS::StackName}-expire"
EXPIRE_RUNS = "${AWS::StackName}-expire-runs"
WATCH = "${AWS::StackName}-watch"
# What runs make in DataBrew and SageMaker, with the run's name. No stack's name has two hyphens in
# a row, so what begins so is this stack's alone, whatever others are called.
MADE = "${AWS::StackName}--"
STATE_MACHINE_LOGS = "/aws/vendedlogs/states/${AWS::StackName}"
API_LOGS = "/aws/vendedlogs/apis/${AWS::StackName}"
CAPTURED = "captured/"
ENDPOINT_LOGS = "/aws/sagemaker/Endpoints/${AWS::StackName}"


def filled(text: str, stack: str, account: str, region: str) -> str:
    """One of these texts as `Fn::Sub` fills it in."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if region.startswith("us-gov-") else partition
    values = {"StackName": stack, "AccountId": account, "Region": region, "Partition": partition}
    for name, value in values.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    return text.replace("${DatabaseName}", stack.replace("-", "_"))


def named(text: str, connection: Connection) -> str:
    """One of these texts for the deployment that the connection is about."""
    return filled(text, connection.settings.stack_name, connection.account, connection.region)


def databrew_name(name: str) -> str:
    return f"${{AWS::StackName}}-{name}"
