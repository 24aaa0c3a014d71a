"""Functions, versions, aliases and policies as resources."""

from __future__ import annotations

import io
import json
import stat
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.functions.permissions import arn_like
from tests.functions.conftest import ROLE, create, invoke, package
from tests.threads import on_threads

RETURNS = "def handler(e, c): return {}"


def test_a_function_is_described_as_it_was_made(aws: Any) -> None:
    made = create(aws, "f", RETURNS.format(1), Tags={"a": "b"}, Description="d")
    client = aws.client("lambda")
    found = client.get_function(FunctionName=made["FunctionArn"])
    assert found["Configuration"]["CodeSha256"] == made["CodeSha256"]
    assert found["Configuration"]["State"] == "Active"
    assert found["Configuration"]["PackageType"] == "Zip"
    assert found["Configuration"]["LastUpdateStatus"] == "Successful"
    assert found["Tags"] == {"a": "b"}
    assert [f["FunctionName"] for f in client.list_functions()["Functions"]] == ["f"]
    client.delete_function(FunctionName="f")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="f")


def test_a_second_function_of_the_same_name_is_a_conflict(aws: Any) -> None:
    create(aws, "f", RETURNS.format(1))
    with pytest.raises(ClientError, match="Function already exist: f"):
        create(aws, "f", RETURNS.format(2))


def test_code_comes_from_s3_and_can_be_downloaded(server: Any) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="f.zip", Body=package(RETURNS.format(5)))
    client = server.client("lambda")
    code = {"S3Bucket": "code", "S3Key": "f.zip"}
    arguments = {"Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE}
    client.create_function(FunctionName="f", Code=code, **arguments)
    assert invoke(server, "f") == (None, 5)
    location = client.get_function(FunctionName="f")["Code"]["Location"]
    assert urllib.request.urlopen(location).read() == package(RETURNS.format(5))
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.update_function_code(FunctionName="f", S3Bucket="code", S3Key="gone.zip")


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"Runtime": "ruby3.4"}, "Runtime=ruby3.4"),
        ({"Layers": ["arn:aws:lambda:us-east-1:111111111111:layer:other:1"]}, "Layers=arn:"),
        ({"VpcConfig": {"Ipv6AllowedForDualStack": True}}, "VpcConfig.Ipv6AllowedForDualStack"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:1:q"}}, "DeadLetterConfig"),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(
    aws: Any, more: dict[str, Any], refused: str
) -> None:
    with pytest.raises(ClientError, match="does not emulate lambda:CreateFunction") as caught:
        create(aws, "f", RETURNS.format(1), **more)
    assert refused in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Timeout": 901}, "Timeout"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
        ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "the limit is 4 KB"),
    ],
)
def test_values_out_of_range_are_refused_as_aws_does(
    aws: Any, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        create(aws, "f", RETURNS.format(1), **more)


def test_a_zip_that_is_none_is_refused(aws: Any) -> None:
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        aws.client("lambda").create_function(
            FunctionName="f",
            Code={"ZipFile": b"not a zip"},
            Runtime="python3.11",
            Handler="index.handler",
            Role=ROLE,
        )


def encrypted() -> bytes:
    """A package whose member says that it is encrypted."""
    data = bytearray(package("x = 1"))
    data[6] |= 1  # flags of the member's own head, and of the directory's entry
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def large() -> bytes:
    """A package whose directory tells of 300 MB."""
    data = bytearray(package("x = 1"))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (300 << 20).to_bytes(4, "little")
    return bytes(data)


def a_file_and_a_folder() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a", "x")
        archive.writestr("a/b", "x")
    return data.getvalue()


def linked(links: dict[str, str], **files: str) -> bytes:
    """A package with symbolic links, by their target."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, target in links.items():
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, target)
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encrypted(), "Could not unzip uploaded file"),
        (large(), "Unzipped size must be smaller than 262144000 bytes; it is 314572800"),
        (a_file_and_a_folder(), "Could not unzip uploaded file"),
        (package("x = 1", "n" * 300), "a name over 255 bytes"),
        (package("x = 1", "../x"), "a member outside its folder"),
        (package("x = 1", "a/" * 2000 + "x"), "Could not unzip uploaded file"),
        (linked({"a": "/etc/passwd"}), "a link that leads outside its folder: a"),
        (linked({"a": "../../../credentials.json"}), "a link that leads outside its folder: a"),
        (linked({"d/d/b": "../..", "x": "d/d/b/../.."}), "a link that leads outside its folder"),
        (linked({"a": "/tmp", "a/b": "c"}), "a link that leads outside its folder: a/b"),
        (linked({"a": "b", "b": "a"}), "Could not unzip uploaded file"),
    ],
    ids=[
        *("encrypted", "large", "a file and a folder", "long name", "outside", "deep name"),
        *("absolute link", "link outside", "links outside", "behind a link", "links in a ring"),
    ],
)
def test_a_zip_that_cannot_be_unpacked_is_refused(aws: Any, data: bytes, message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        aws.client("lambda").create_function(
            FunctionName="f",
            Code={"ZipFile": data},
            Runtime="python3.11",
            Handler="index.handler",
            Role=ROLE,
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_link_in_a_zip_is_a_link(aws: Any) -> None:
    code = linked({"index.py": "code.py"}, code=RETURNS.format(7))
    aws.client("lambda").create_function(
        FunctionName="f",
        Code={"ZipFile": code},
        Runtime="python3.11",
        Handler="index.handler",
        Role=ROLE,
    )
    assert invoke(aws, "f") == (None, 7)


def test_a_version_keeps_its_code_and_an_alias_moves(aws: Any) -> None:
    client = aws.client("lambda")
    create(aws, "f", RETURNS.format(1))
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    assert client.publish_version(FunctionName="f")["Version"] == "1"  # nothing has changed
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="f", ZipFile=package(RETURNS.format(2)), Publish=True)
    assert invoke(aws, "f") == (None, 2)
    assert invoke(aws, "f:live") == (None, 1)
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    assert invoke(aws, "f", Qualifier="live") == (None, 2)
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]


def test_permissions_are_statements_of_a_policy(aws: Any) -> None:
    client = aws.client("lambda")
    create(aws, "f", RETURNS.format(1))
    statement = {
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc/*/*",
    }
    client.add_permission(FunctionName="f", **statement)
    policy = json.loads(client.get_policy(FunctionName="f")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(FunctionName="f", **statement)
    client.remove_permission(FunctionName="f", StatementId="api")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="f")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("arn:aws:execute-api:us-east-1:000000000000:abc/*/*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc/*/POST/predict", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abd/*", False),
        ("arn:aws:execute-api:*:*:*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc/prod/*", False),
    ],
)
def test_source_arns_match_as_in_iam(pattern: str, matches: bool) -> None:
    arn = "arn:aws:execute-api:us-east-1:000000000000:abc/$default/POST/predict"
    assert arn_like(arn, pattern) is matches


def test_functions_survive_a_restart(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    first = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    create(first, "f", RETURNS.format(3))
    assert invoke(first, "f") == (None, 3)
    first.stop()
    second = start(tmp_path / "home", factories(), url="http://127.0.0.1:9")
    assert invoke(second, "f") == (None, 3)
    second.stop()


def pages(call: Any, member: str, **params: Any) -> list[list[Any]]:
    """Every page of a list, one item at a time."""
    found = [call(**params, MaxItems=1)]
    while "NextMarker" in found[-1] and len(found) < 10:
        found.append(call(**params, MaxItems=1, Marker=found[-1]["NextMarker"]))
    return [answer[member] for answer in found]


def test_lists_come_in_pages(aws: Any) -> None:
    client = aws.client("lambda")
    for name in ("b", "a"):
        create(aws, name, "def handler(event, context): pass")
    functions = pages(client.list_functions, "Functions")
    assert [[one["FunctionName"] for one in page] for page in functions] == [["a"], ["b"]]

    client.publish_version(FunctionName="a")
    versions = pages(client.list_versions_by_function, "Versions", FunctionName="a")
    assert [[one["Version"] for one in page] for page in versions] == [["$LATEST"], ["1"]]

    for alias in ("test", "live"):
        client.create_alias(FunctionName="a", Name=alias, FunctionVersion="1")
    aliases = pages(client.list_aliases, "Aliases", FunctionName="a")
    assert [[one["Name"] for one in page] for page in aliases] == [["live"], ["test"]]

    for call in (client.list_functions, client.list_aliases, client.list_versions_by_function):
        where = {} if call == client.list_functions else {"FunctionName": "a"}
        with pytest.raises(ClientError) as refused:
            call(**where, Marker="no marker")
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_updates_at_the_same_time_lose_nothing(aws: Any) -> None:
    create(aws, "f", "def handler(event, context): pass")
    arn = aws.client("lambda").get_function(FunctionName="f")["Configuration"]["FunctionArn"]

    def change(number: int) -> None:
        client = aws.client("lambda")
        client.tag_resource(Resource=arn, Tags={f"t{number}": "x"})
        client.add_permission(
            **{"FunctionName": "f", "StatementId": f"s{number}", "Principal": "*"},
            Action="lambda:InvokeFunction",
        )
        client.publish_version(FunctionName="f")
        client.update_function_configuration(FunctionName="f", Timeout=10 + number)

    on_threads(8, change)
    client = aws.client("lambda")
    assert len(client.list_tags(Resource=arn)["Tags"]) == 8
    statements = json.loads(client.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert {one["Sid"] for one in statements} == {f"s{number}" for number in range(8)}
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    numbers = [one["Version"] for one in versions[1:]]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert client.get_function(FunctionName="f")["Configuration"]["Timeout"] in range(10, 18)
