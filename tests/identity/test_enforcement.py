"""With policies enforced: who may do what, and how a refusal is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.identity.authorization import Mode
from localaws.identity.caller import Caller
from localaws.services import factories
from tests.functions.conftest import create
from tests.identity.test_inside_calls import dead_letter, log_lines, until

ACCOUNT = "0" * 12
LAKE = "a-lake-of-ours"
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", factories(), wait_scale=0, policies=Mode.ENFORCE)
    local.client("s3").create_bucket(Bucket=LAKE)
    local.client("s3").put_object(Bucket=LAKE, Key="raw/t/a.csv", Body=b"id,n\n1,2\n3,4\n")
    local.client("glue").create_database(DatabaseInput={"Name": "d"})
    yield local
    local.stop()


def statement(action: str | list[str], *resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources) or ["*"], **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(principal: dict[str, str], **more: Any) -> str:
    given = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return document(given)


def role(aws: LocalAws, name: str, service: str, *statements: dict[str, Any], **more: Any) -> str:
    """A role that the service may assume: its ARN."""
    trust = trusting({"Service": f"{service}.amazonaws.com"})
    iam = aws.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"]
    if statements:
        allow(aws, name, *statements)
    return str(made)


def allow(aws: LocalAws, name: str, *statements: dict[str, Any]) -> None:
    text = document(*statements)
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=text)


def as_role(aws: LocalAws, name: str, service: str = "lambda") -> LocalAws:
    return aws.acting_as_role(name, "session", f"{service}.amazonaws.com")


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, int, str]:
    """(code, HTTP status, message) of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


WHO = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/poor/session is not authorized to perform: "
NO = "because no identity-based policy allows the {} action"
R = f"us-east-1:{ACCOUNT}"


@pytest.mark.parametrize(
    ("service", "method", "params", "code", "status", "message"),
    [
        (
            *("s3", "get_object", {"Bucket": LAKE, "Key": "k"}, "AccessDenied", 403),
            f'{WHO}s3:GetObject on resource: "arn:aws:s3:::{LAKE}/k" {NO.format("s3:GetObject")}',
        ),
        (
            *("glue", "get_table", {"DatabaseName": "d", "Name": "t"}),
            *("AccessDeniedException", 400),
            f"{WHO}glue:GetTable on resource: arn:aws:glue:{R}:catalog"
            f" {NO.format('glue:GetTable')}",
        ),
        (
            *("athena", "get_work_group", {"WorkGroup": "primary"}),
            *("AccessDeniedException", 400),
            "You are not authorized to perform: athena:GetWorkGroup on the resource. After your"
            " AWS administrator or you have updated your permissions, please try again.",
        ),
        (
            *("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException", 403),
            f"{WHO}lambda:InvokeFunction on resource: arn:aws:lambda:{R}:function:f"
            f" {NO.format('lambda:InvokeFunction')}",
        ),
        (
            *("sns", "publish", {"TopicArn": f"arn:aws:sns:{R}:t", "Message": "m"}),
            *("AuthorizationError", 403),
            f"{WHO}sns:Publish on resource: arn:aws:sns:{R}:t {NO.format('sns:Publish')}",
        ),
        (
            *("sqs", "list_queues", {}, "AccessDenied", 403),
            f"{WHO}sqs:ListQueues {NO.format('sqs:ListQueues')}",
        ),
    ],
)
def test_a_refusal_has_the_words_of_its_service(
    *, aws: LocalAws, service: str, method: str, params: Any, code: str, status: int, message: str
) -> None:
    role(aws, "poor", "lambda")
    client = as_role(aws, "poor").client(service)
    assert refused(getattr(client, method), **params) == (code, status, message)


def test_a_change_of_a_policy_holds_from_the_next_call_on(aws: LocalAws) -> None:
    role(aws, "reader", "lambda")
    client = as_role(aws, "reader").client("s3")
    key = {"Bucket": LAKE, "Key": "raw/t/a.csv"}
    assert refused(client.get_object, **key)[0] == "AccessDenied"

    allow(aws, "reader", statement("s3:GetObject", f"arn:aws:s3:::{LAKE}/raw/*"))
    assert client.get_object(**key)["Body"].read()
    assert refused(client.get_object, Bucket=LAKE, Key="other")[0] == "AccessDenied"

    aws.client("iam").delete_role_policy(RoleName="reader", PolicyName="work")
    assert refused(client.get_object, **key)[0] == "AccessDenied"


def test_boundary_session_policy_and_aws_managed_policies_count(aws: LocalAws) -> None:
    iam = aws.client("iam")
    bounds = iam.create_policy(PolicyName="bounds", PolicyDocument=document(statement("s3:Get*")))
    role(aws, "bound", "lambda", PermissionsBoundary=bounds["Policy"]["Arn"])
    iam.attach_role_policy(RoleName="bound", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    client = as_role(aws, "bound").client("s3")
    key = {"Bucket": LAKE, "Key": "raw/t/a.csv"}
    assert client.get_object(**key)
    message = refused(client.delete_object, **key)[2]
    assert message.endswith("because no permissions boundary allows the s3:DeleteObject action")

    me = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    iam.update_assume_role_policy(RoleName="bound", PolicyDocument=trusting({"AWS": ACCOUNT}))
    sts = aws.acting(me).client("sts")
    session = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/bound",
        RoleSessionName="narrow",
        Policy=document(statement("s3:ListBucket")),
    )["Credentials"]
    caller = aws.identity.credential(session["AccessKeyId"])
    assert caller is not None
    narrow = aws.acting(caller.caller).client("s3")
    assert "because no session policy" in refused(narrow.get_object, **key)[2]


def test_a_buckets_own_policy_lets_in_and_keeps_out(aws: LocalAws) -> None:
    arn = role(aws, "guest", "lambda")
    key = {"Bucket": LAKE, "Key": "raw/t/a.csv"}
    everything = [f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:Delete*", "Resource": everything}
    lets = {"Principal": {"AWS": arn}}
    policy = document({**statement("s3:GetObject", f"arn:aws:s3:::{LAKE}/raw/*"), **lets}, deny)
    aws.client("s3").put_bucket_policy(Bucket=LAKE, Policy=policy)

    assert as_role(aws, "guest").client("s3").get_object(**key)
    code, _, message = refused(aws.client("s3").delete_object, **key)  # the administrator too
    assert (code, message.endswith("with an explicit deny in a resource-based policy")) == (
        "AccessDenied",
        True,
    )


def test_what_is_missing_is_told_to_who_may_list_and_deleting_answers_key_by_key(
    aws: LocalAws,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (404 with s3:ListBucket,
    403 without), https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    bucket = f"arn:aws:s3:::{LAKE}"
    role(aws, "poor", "lambda", statement("s3:GetObject", f"{bucket}/*"))
    s3 = as_role(aws, "poor").client("s3")
    code, status, message = refused(s3.get_object, Bucket=LAKE, Key="raw/none")
    assert (code, status) == ("AccessDenied", 403)
    assert "is not authorized to perform: s3:ListBucket" in message
    assert refused(s3.head_object, Bucket=LAKE, Key="raw/none")[:2] == ("403", 403)
    copied = {"Bucket": LAKE, "Key": "copies/a", "CopySource": f"{LAKE}/raw/none"}
    copies = statement("s3:PutObject", f"{bucket}/copies/*")
    allow(aws, "poor", statement("s3:GetObject", f"{bucket}/*"), copies)
    assert refused(s3.copy_object, **copied)[:2] == ("AccessDenied", 403)
    upload = {"Bucket": LAKE, "Key": "copies/a"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = {**upload, "CopySource": copied["CopySource"], "PartNumber": 1}
    assert refused(s3.upload_part_copy, **part)[:2] == ("AccessDenied", 403)

    below = {"StringLike": {"s3:prefix": ["raw/*"]}}
    allow(
        aws, "poor", statement("s3:GetObject", f"{bucket}/*"),
        statement("s3:ListBucket", bucket, Condition=below),
        statement("s3:DeleteObject", f"{bucket}/raw/*"), copies,
    )  # fmt: skip
    assert refused(s3.copy_object, **copied)[:2] == ("NoSuchKey", 404)
    assert refused(s3.get_object, Bucket=LAKE, Key="raw/none")[:2] == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=LAKE, Key="runs/none")[:2] == ("403", 403)

    answer = s3.delete_objects(
        Bucket=LAKE, Delete={"Objects": [{"Key": "raw/t/a.csv"}, {"Key": "runs/b.csv"}]}
    )
    assert [one["Key"] for one in answer["Deleted"]] == ["raw/t/a.csv"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [
        ("runs/b.csv", "AccessDenied")
    ]


def test_passing_a_role_needs_leave_and_a_role_that_trusts(aws: LocalAws) -> None:
    made = {
        "name": "m",
        "definition": json.dumps({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}),
    }
    glues = role(aws, "for-glue", "glue")
    states = role(aws, "for-states", "states")
    create_machine = statement("states:CreateStateMachine")
    role(aws, "maker", "lambda", create_machine)
    maker = as_role(aws, "maker").client("stepfunctions")
    message = refused(maker.create_state_machine, roleArn=states, **made)[2]
    assert f"iam:PassRole on resource: {states}" in message

    passes = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    allow(aws, "maker", create_machine, statement("iam:PassRole", Condition=passes))
    assert maker.create_state_machine(roleArn=states, **made)
    code, _, message = refused(
        aws.client("stepfunctions").create_state_machine, roleArn=glues, **made | {"name": "n"}
    )
    assert code == "AccessDeniedException"
    assert message.startswith("Neither the global service principal states.amazonaws.com")


def test_a_crawl_and_a_query_fail_where_their_roles_end(aws: LocalAws) -> None:
    raw = [f"arn:aws:s3:::{LAKE}/raw/*"]
    lists = statement("s3:ListBucket", f"arn:aws:s3:::{LAKE}")
    arn = role(aws, "crawls", "glue", statement("s3:GetObject", *raw), lists)
    glue = aws.client("glue")
    targets = {"S3Targets": [{"Path": f"s3://{LAKE}/raw/"}]}
    glue.create_crawler(Name="c", Role=arn, DatabaseName="d", Targets=targets)
    assert _crawled(glue)["ErrorMessage"].startswith(
        "Service Principal: glue.amazonaws.com is not authorized to perform: glue:GetDatabase on"
        f" resource: arn:aws:glue:{R}:catalog because no identity-based policy"
    )
    allow(aws, "crawls", statement("s3:GetObject", *raw), lists, statement("glue:*"))
    assert _crawled(glue)["Status"] == "SUCCEEDED"

    results = f"arn:aws:s3:::{LAKE}/results/*"
    where = statement(["s3:GetBucketLocation", "s3:ListBucket"], f"arn:aws:s3:::{LAKE}")
    queries = [statement("athena:*"), statement("glue:Get*"), where]
    role(aws, "asks", "lambda", *queries, statement(["s3:PutObject", "s3:GetObject"], results))
    status = _asked(as_role(aws, "asks"))
    assert status["State"] == "FAILED"
    assert f"Permission denied on S3 path: s3://{LAKE}/raw/" in status["StateChangeReason"]
    allow(aws, "asks", *queries, statement(["s3:PutObject", "s3:GetObject"], results, *raw))
    assert _asked(as_role(aws, "asks"))["State"] == "SUCCEEDED"
    allow(aws, "asks", queries[0], where, statement(["s3:PutObject", "s3:GetObject"], results))
    reason = _asked(as_role(aws, "asks"))["StateChangeReason"]
    assert "Insufficient permissions to execute the query. User: " in reason


def _crawled(glue: Any) -> Any:
    glue.start_crawler(Name="c")

    def over() -> Any:
        crawler = glue.get_crawler(Name="c")["Crawler"]
        return crawler["LastCrawl"] if crawler["State"] == "READY" else None

    return until(over, 120)


def _asked(acting: LocalAws) -> Any:
    athena = acting.client("athena")
    execution = athena.start_query_execution(
        QueryString="SELECT sum(n) FROM d.raw",
        ResultConfiguration={"OutputLocation": f"s3://{LAKE}/results/"},
    )["QueryExecutionId"]

    def over() -> Any:
        found = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        return found if found["State"] not in ("QUEUED", "RUNNING") else None

    return until(over, 120)


def test_a_query_is_asked_for_in_its_work_group(aws: LocalAws) -> None:
    athena = aws.client("athena")
    athena.create_work_group(Name="others")
    own, other = (
        athena.create_named_query(Name=group, Database="d", QueryString="SELECT 1", WorkGroup=group)
        for group in ("primary", "others")
    )
    own_group = f"arn:aws:athena:{R}:workgroup/primary"
    role(aws, "poor", "lambda", statement("athena:GetNamedQuery", own_group))
    get = as_role(aws, "poor").client("athena").get_named_query

    assert get(NamedQueryId=own["NamedQueryId"])["NamedQuery"]["Name"] == "primary"
    assert refused(get, NamedQueryId=other["NamedQueryId"])[0] == "AccessDeniedException"


def test_an_execution_sees_its_roles_refusal(aws: LocalAws) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:listObjectsV2",
        "Parameters": {"Bucket": LAKE},
        "End": True,
    }
    states = aws.client("stepfunctions")
    machine = states.create_state_machine(
        name="m",
        definition=json.dumps({"StartAt": "List", "States": {"List": task}}),
        roleArn=role(aws, "runs", "states"),
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def over() -> Any:
        found = states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    ended = until(over, 60)
    assert (ended["status"], ended["error"].partition(".")[0]) == ("FAILED", "S3")
    assert f's3:ListBucket on resource: "arn:aws:s3:::{LAKE}" because no' in ended["cause"]


@pytest.mark.parametrize("let_in", [False, True])
def test_a_rules_dead_letters_need_the_queues_policy(aws: LocalAws, let_in: bool) -> None:
    create(aws, "echo", ECHO, Role=role(aws, "echoes", "lambda"))
    queue = f"arn:aws:sqs:{R}:dead"
    policy = document({**statement("sqs:SendMessage", queue), "Principal": "*"})
    aws.client("sqs").create_queue(
        QueueName="dead", Attributes={"Policy": policy} if let_in else {}
    )
    events = aws.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))
    target = {"Id": "1", "Arn": f"arn:aws:lambda:{R}:function:echo"}
    events.put_targets(Rule="own", Targets=[{**target, "DeadLetterConfig": {"Arn": queue}}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])

    def told() -> bool:
        return any(
            use.action == "sqs:SendMessage" and (use.refusal is None) == let_in
            for use in aws.authorize.uses.all()
        )

    assert until(told, 60)
    if let_in:
        assert until(lambda: dead_letter(aws), 60)
    assert not log_lines(aws)


def test_observing_notes_refusals_and_makes_none(tmp_path: Path) -> None:
    local = start(tmp_path / "home", factories(), policies=Mode.OBSERVE)
    try:
        local.client("s3").create_bucket(Bucket=LAKE)
        role(local, "poor", "lambda")
        as_role(local, "poor").client("s3").list_objects_v2(Bucket=LAKE)
        refusals = [use.refusal for use in local.authorize.uses.all() if use.refusal]
        assert len(refusals) == 1 and "s3:ListBucket" in refusals[0]
    finally:
        local.stop()
