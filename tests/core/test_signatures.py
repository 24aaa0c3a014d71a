"""Whose key has signed: verified as AWS does, with its words, against botocore's own signer."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import shutil
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from localaws.core import server as http_server
from localaws.core.aws import LocalAws, start
from localaws.core.clock import Clock
from localaws.documents import Documents
from localaws.iam import api as iam
from localaws.identity.store import IdentityStore
from localaws.plain.api import FACTORIES
from localaws.s3 import api as s3
from localaws.sns import api as sns
from localaws.sts import api as sts

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


JSON_CODES = ("UnrecognizedClientException", "InvalidSignatureException")


class Movable(Clock):
    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Closed:
    """A server that takes its own keys only, and clients for it."""

    def __init__(self, local: LocalAws, url: str, clock: Movable) -> None:
        self.local, self.url, self.clock = local, url, clock
        kept = json.loads((local.home.root / "credentials.json").read_text())
        self.key = (kept["AccessKeyId"], kept["SecretAccessKey"])

    def client(self, service: str, *key: str, token: str | None = None, **more: Any) -> Any:
        access, secret = key or self.key
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **more)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config,
        )


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Closed]:
    clock = Movable(0)
    listener = http_server.bind(0)
    url = f"http://127.0.0.1:{listener.server_port}"
    made = [s3.service, iam.service, sts.service, sns.service, *FACTORIES.values()]
    local = start(tmp_path / "home", made, url=url, clock=clock, accept_any_key=False)
    with http_server.BackgroundServer(listener, local.gateway):
        yield Closed(local, url, clock)
        local.stop()


def refusal(call: Any, **params: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    answer = refused.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], status, answer["Error"]["Message"]


def test_every_protocol_is_let_in_with_the_homes_key(closed: Closed) -> None:
    s3_client = closed.client("s3")
    s3_client.create_bucket(Bucket="lake")
    for key in ("plain", "with space", "a+b=c&d", "ü/(1)!'*~", "a//b", "percent%20", "dots/../x"):
        s3_client.put_object(Bucket="lake", Key=key, Body=b"x" * 10, Metadata={"note": "n"})
        assert s3_client.get_object(Bucket="lake", Key=key)["Body"].read() == b"x" * 10
    assert len(s3_client.list_objects_v2(Bucket="lake", Prefix="")["Contents"]) == 7
    s3_client.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "plain"}]})
    assert closed.client("sts").get_caller_identity()["Arn"].endswith(":root")
    closed.client("sns").create_topic(Name="t")
    closed.client("sqs").create_queue(QueueName="q")
    assert closed.client("dynamodb").list_tables()["TableNames"] == []
    assert closed.client("iam").list_roles()["Roles"] == []


@pytest.mark.parametrize(
    ("service", "operation", "unknown", "wrong", "status"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch", 403),
        ("sts", "get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch", 403),
        ("iam", "list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch", 403),
        ("dynamodb", "list_tables", *JSON_CODES, 400),
        ("logs", "describe_log_groups", *JSON_CODES, 400),
    ],
)
def test_other_keys_are_refused(
    closed: Closed, service: str, operation: str, unknown: str, wrong: str, status: int
) -> None:
    stranger = closed.client(service, "AKIAIOSFODNN7EXAMPLE", "secret")
    assert refusal(getattr(stranger, operation))[:2] == (unknown, status)
    guesser = closed.client(service, closed.key[0], "wrong")
    assert refusal(getattr(guesser, operation))[:2] == (wrong, status)


def test_a_roles_keys_outlive_the_server_and_processes_that_were_given_them(
    closed: Closed, tmp_path: Path
) -> None:
    """A process's own keys end with it, and with the server: it is what `kill -9` leaves."""
    closed.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    answered = closed.client("sts").assume_role(
        RoleArn="arn:aws:iam::000000000000:role/reader", RoleSessionName="s-1", DurationSeconds=900
    )["Credentials"]
    local = closed.local
    of_job = local.child_environment()
    of_other = local.child_environment({"AWS_ACCESS_KEY_ID": answered["AccessKeyId"]})
    local.identity.close_session_of(of_other)
    left = tmp_path / "left"
    shutil.copytree(local.home.root, left)  # as it is on the disk now: nothing was stopped

    documents = Documents(left / "documents.sqlite")
    next_one = IdentityStore(documents, local.account, local.clock.now, local.identity.root_key)
    next_one.forget_sessions()
    kept = next_one.credential(answered["AccessKeyId"])
    assert kept is not None
    assert kept.secret_access_key == answered["SecretAccessKey"]
    assert kept.session_token == answered["SessionToken"]
    assert next_one.credential(of_job["AWS_ACCESS_KEY_ID"]) is None
    documents.close()


def test_a_user_and_a_session_are_who_they_are(closed: Closed) -> None:
    admin = closed.client("iam")
    admin.create_user(UserName="ann")
    admin.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    key = admin.create_access_key(UserName="ann")["AccessKey"]
    ann = closed.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert ann.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:user/ann"

    session = ann.assume_role(
        RoleArn="arn:aws:iam::000000000000:role/reader", RoleSessionName="s-1", DurationSeconds=900
    )["Credentials"]
    pair = (session["AccessKeyId"], session["SecretAccessKey"])
    token = session["SessionToken"]
    role = closed.client("sts", *pair, token=token)
    assert role.get_caller_identity()["Arn"].endswith(":assumed-role/reader/s-1")
    assert refusal(closed.client("sts", *pair).get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(closed.client("s3", *pair, token="x").list_buckets)[:2] == ("InvalidToken", 400)

    admin.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refusal(ann.get_caller_identity)[0] == "InvalidClientTokenId"
    closed.clock.ahead = timedelta(minutes=14)
    assert role.get_caller_identity()["Arn"].endswith("/s-1")  # 15 minutes: still good
    closed.clock.ahead = timedelta(minutes=15, seconds=1)
    later = datetime.now(UTC) + closed.clock.ahead
    request = signed(closed, pair, token, later)
    assert b"ExpiredToken" in send(request)[1]


def signed(closed: Closed, pair: tuple[str, str], token: str | None, when: datetime) -> AWSRequest:
    """GetCallerIdentity, signed as if it were `when`."""
    request = AWSRequest(
        "POST",
        closed.url + "/",
        data="Action=GetCallerIdentity&Version=2011-06-15",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    auth = SigV4Auth(Credentials(*pair, token), "sts", "us-east-1")
    request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text = auth.string_to_sign(request, auth.canonical_request(request))
    value = auth.signature(text, request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names},"
        f" Signature={value}"
    )
    return request


def send(request: AWSRequest) -> tuple[int, bytes]:
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.netloc)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(request.method, target, request.data or b"", dict(request.headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-16, b"Signature expired: "), (16, b"Signature not yet current: "), (-14, b""), (14, b"")],
)
def test_an_old_signature_is_none(closed: Closed, minutes: int, words: bytes) -> None:
    when = datetime.now(UTC) + timedelta(minutes=minutes)
    status, body = send(signed(closed, closed.key, None, when))
    assert status == (403 if words else 200)
    assert words in body


def test_what_was_signed_cannot_be_changed(closed: Closed) -> None:
    for change in ("body", "query", "header", "host"):
        request = signed(closed, closed.key, None, datetime.now(UTC))
        if change == "body":
            request.data = "Action=GetSessionToken&Version=2011-06-15"
        elif change == "query":
            request.url += "?Action=GetSessionToken"
        elif change == "header":
            request.headers.replace_header("X-Amz-Date", "20200101T000000Z")
        else:
            request.headers["Host"] = "localhost"
        status, body = send(request)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True), change


def test_who_does_not_sign_gets_nowhere(closed: Closed) -> None:
    assert send(AWSRequest("GET", closed.url + "/"))[0] == 403
    query = (
        f"{closed.url}/?Action=ListTopics&X-Amz-Credential=x/20260101/us-east-1/sns/aws4_request"
    )
    status, body = send(AWSRequest("GET", query))
    assert (status, b"IncompleteSignature" in body) == (400, True)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AMZ_JSON = {"Content-Type": "application/x-amz-json-1.0"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [  # docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html; DynamoDB's are 400
        ("POST", "/", FORM, "Action=ListRoles&Version=2010-05-08", 403, "MissingAuth"),
        ("GET", "/?Action=ListTopics&Version=2010-03-31", {}, "", 403, "MissingAuth"),
        ("GET", "/?Action=X&Version=2011-06-15", {"Authorization": "Basic eA=="}, "", 400, "Incom"),
        ("POST", "/", AMZ_JSON | {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, "{}", 400, ""),
        ("POST", "/", AMZ_JSON | {"X-Amz-Target": "AmazonSQS.ListQueues"}, "{}", 400, ""),
        ("GET", "/2015-03-31/functions", {}, "", 403, ""),
        ("POST", "/endpoints/e/invocations", {}, "1,2", 403, ""),
        ("GET", "/v2/apis", {}, "", 403, ""),
        ("GET", "/recipes", {}, "", 403, ""),
        ("POST", "/recipeJobs", {"Content-Type": "application/json"}, "{}", 403, ""),
        ("PUT", "/profileJobs/a", {"Content-Type": "application/json"}, "{}", 403, ""),
        ("POST", "/schedules/a", {"Content-Type": "application/json"}, "{}", 403, ""),
        ("GET", "/schedule-groups/a", {}, "", 403, ""),
        ("GET", "/lake/key", {}, "", 403, "<Code>AccessDenied</Code>"),
    ],
)
def test_who_does_not_sign_is_told_so_in_the_services_own_words(
    closed: Closed,
    method: str,
    path: str,
    headers: dict[str, str],
    body: str,
    status: int,
    code: str,
) -> None:
    request = AWSRequest(method, closed.url + path, headers=headers, data=body.encode())
    answer = send(request)
    expected = code or "MissingAuthenticationTokenException"
    assert (answer[0], expected.encode() in answer[1]) == (status, True), answer


def test_a_signature_is_for_a_region_of_aws_and_one_service(closed: Closed) -> None:
    words = "Credential should be scoped to a valid region. "
    elsewhere = {"config": None, "region_name": "nowhere"}
    session = boto3.Session(*closed.key)
    for service, operation, expected in (
        ("sns", "list_topics", ("SignatureDoesNotMatch", 403, words)),
        ("dynamodb", "list_tables", ("InvalidSignatureException", 400, words)),
        ("sqs", "list_queues", ("InvalidSignatureException", 400, words)),
        (
            "s3",
            "list_buckets",
            (
                "AuthorizationHeaderMalformed",
                400,
                "The authorization header is malformed; the region 'nowhere' is wrong;"
                " expecting 'us-east-1'",
            ),
        ),
    ):
        client = session.client(service, endpoint_url=closed.url, **elsewhere)
        assert refusal(getattr(client, operation)) == expected, service
    for region in ("eu-central-1", "us-gov-west-1"):
        there = session.client("sts", endpoint_url=closed.url, region_name=region)
        assert there.get_caller_identity()["Account"] == "000000000000"
    url = closed.client("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": "lake", "Key": "k"}, 60
    )
    status, answer = read(url.replace("us-east-1", "nowhere"))
    assert (status, b"AuthorizationQueryParametersError" in answer) == (400, True)

    request = AWSRequest(
        "POST",
        closed.url + "/",
        data="{}",
        headers=AMZ_JSON | {"X-Amz-Target": "DynamoDB_20120810.ListTables"},
    )
    SigV4Auth(Credentials(*closed.key), "sqs", "us-east-1").add_auth(request)
    status, answer = send(request)
    assert status == 400
    assert b"Credential should be scoped to correct service: 'dynamodb'. " in answer


def test_a_bucket_that_lets_everyone_read_does(closed: Closed) -> None:
    client = closed.client("s3")
    client.create_bucket(Bucket="site")
    client.put_object(Bucket="site", Key="open/a", Body=b"1")
    client.put_object(Bucket="site", Key="secret", Body=b"2")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::site/open/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.delete_public_access_block(Bucket="site")
    client.put_bucket_policy(Bucket="site", Policy=policy)

    assert send(AWSRequest("GET", closed.url + "/site/open/a")) == (200, b"1")
    for method, path in (
        ("GET", "/site/secret"),
        ("GET", "/site"),
        ("PUT", "/site/open/b"),
        ("DELETE", "/site/open/a"),
        ("GET", "/nowhere/x"),
    ):
        status, body = send(AWSRequest(method, closed.url + path))
        assert (status, b"AccessDenied" in body) == (403, True), (method, path)


def read(url: str, method: str = "GET", data: bytes | None = None) -> tuple[int, bytes]:
    try:
        request = urllib.request.Request(url, data=data, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_pre_signed_url_is_good_until_it_expires(closed: Closed) -> None:
    client = closed.client("s3", signature_version="s3v4")
    client.create_bucket(Bucket="lake")
    put = client.generate_presigned_url("put_object", {"Bucket": "lake", "Key": "a b"}, 60)
    assert read(put, "PUT", b"body")[0] == 200
    get = client.generate_presigned_url("get_object", {"Bucket": "lake", "Key": "a b"}, 60)
    assert read(get) == (200, b"body")
    inside = closed.local.client("s3").generate_presigned_url(
        "get_object", {"Bucket": "lake", "Key": "a b"}, 60
    )
    assert read(inside) == (200, b"body")
    assert "AWSAccessKeyId=" in inside  # boto3's default for S3: Signature Version 2
    assert read(inside.replace("a%20b", "other"))[0] == 403
    assert read(inside + "&versionId=1")[0] == 403

    assert read(get.replace("a%20b", "other"))[0] == 403
    assert read(get.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))[0] == 403
    status, body = read(get.partition("&X-Amz-Signature")[0])
    assert (status, b"AuthorizationQueryParametersError" in body) == (400, True)
    closed.clock.ahead = timedelta(seconds=62)
    for url in (get, inside):
        status, body = read(url)
        assert status == 403
        assert b"<Code>AccessDenied</Code>" in body
        assert b"Request has expired" in body


def test_a_pre_signed_call_of_another_service_is_that_services(closed: Closed) -> None:
    request = AWSRequest(
        "GET", closed.url + "/", params={"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    )
    SigV4QueryAuth(Credentials(*closed.key), "sts", "us-east-1", expires=60).add_auth(request)
    status, body = read(request.prepare().url)
    assert (status, b"GetCallerIdentityResult" in body) == (200, True)


def chunked(closed: Closed, data: list[bytes], *, spoil: str = "") -> tuple[int, bytes]:
    """PutObject of `lake/chunks` with STREAMING-AWS4-HMAC-SHA256-PAYLOAD, by the book."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    host = urlsplit(closed.url).netloc
    size = sum(map(len, data))
    headers = {
        "content-encoding": "aws-chunked",
        "host": host,
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-date": now,
        "x-amz-decoded-content-length": str(size),
    }
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    names = ";".join(headers)
    canonical = f"PUT\n/lake/chunks\n\n{lines}\n{names}\n{headers['x-amz-content-sha256']}"
    key = f"AWS4{closed.key[1]}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")

    def sign(text: str) -> str:
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    before = seed = sign(f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}")
    empty, body = hashlib.sha256(b"").hexdigest(), b""
    for number, chunk in enumerate([*data, b""]):
        digest = hashlib.sha256(chunk).hexdigest()
        before = sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{now}\n{scope}\n{before}\n{empty}\n{digest}")
        if spoil == "data" and number == 1:
            chunk = chunk[:-1] + b"!"
        value = "0" * 64 if spoil == "signature" and number == 1 else before
        body += f"{len(chunk):x};chunk-signature={value}\r\n".encode() + chunk + b"\r\n"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={closed.key[0]}/{scope}, SignedHeaders={names},"
        f" Signature={seed}"
    )
    connection = http.client.HTTPConnection(host)
    connection.request("PUT", "/lake/chunks", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("spoil", ["", "data", "signature"])
def test_a_chunked_body_is_signed_chunk_by_chunk(closed: Closed, spoil: str) -> None:
    client = closed.client("s3")
    client.create_bucket(Bucket="lake")
    data = [b"a" * 70_000, b"b" * 65_536, b"c"]

    status, body = chunked(closed, data, spoil=spoil)

    if spoil:
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
        assert "Contents" not in client.list_objects_v2(Bucket="lake")
    else:
        assert status == 200, body
        assert client.get_object(Bucket="lake", Key="chunks")["Body"].read() == b"".join(data)


def test_a_homes_key_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        local = start(tmp_path / "home", [sts.service])
        local.stop()
        file = tmp_path / "home" / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
        keys.append(json.loads(file.read_text()))
    assert keys[0] == keys[1]
    file.write_text("{}")
    with pytest.raises(ValueError, match="move it away, and a new key is made"):
        start(tmp_path / "home", [sts.service])


def posted(form: dict[str, Any]) -> tuple[int, str]:
    """Status and text of the answer to a form with a file."""
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    body += '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body += "data\r\n--x--\r\n"
    request = urllib.request.Request(
        form["url"], body.encode(), {"Content-Type": "multipart/form-data; boundary=x"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_form_is_taken_with_a_signed_policy(closed: Closed, version: str) -> None:
    closed.client("s3").create_bucket(Bucket="lake")
    client = closed.client("s3", signature_version=version)
    for spoil, expected in ((False, 204), (True, 403)):
        form = client.generate_presigned_post("lake", "k", ExpiresIn=60)
        fields = form["fields"]
        assert ("AWSAccessKeyId" in fields) == (version == "s3")
        if spoil:
            name = "signature" if version == "s3" else "x-amz-signature"
            fields[name] = fields[name][:-4] + "0000"
        assert posted(form)[0] == expected


@pytest.mark.parametrize(
    ("place", "said", "told"),
    [
        (2, "moon", "the region &apos;moon&apos; is wrong; expecting &apos;us-east-1&apos;"),
        (3, "sns", "The credential is for &apos;sns&apos;; expecting &apos;s3&apos;."),
        (4, "aws3", "The credential is for"),
        (1, "20200101", "SignatureDoesNotMatch"),
    ],
)
def test_a_form_is_signed_for_s3_of_a_region_and_a_day(
    closed: Closed, place: int, said: str, told: str
) -> None:
    closed.client("s3").create_bucket(Bucket="lake")
    client = closed.client("s3", signature_version="s3v4")
    form = client.generate_presigned_post("lake", "k", ExpiresIn=60)
    scope = form["fields"]["x-amz-credential"].split("/")
    scope[place] = said
    form["fields"]["x-amz-credential"] = "/".join(scope)
    status, text = posted(form)
    assert status in (400, 403) and told in text.replace("'", "&apos;")
