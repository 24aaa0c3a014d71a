"""Bodies as clients send them: framed, with checksums before or after, large, from a form."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import pytest
import urllib3
from botocore.exceptions import ClientError

DATA = b"123456789"
# The check values of the catalogue of CRCs (reveng.sourceforge.io/crc-catalogue), for DATA.
CHECKSUMS = {
    "CRC32": bytes.fromhex("cbf43926"),
    "CRC32C": bytes.fromhex("e3069283"),
    "CRC64NVME": bytes.fromhex("ae8b14860a799888"),
    "SHA1": hashlib.sha1(DATA).digest(),
    "SHA256": hashlib.sha256(DATA).digest(),
}
SUMS = {name: base64.b64encode(digest).decode() for name, digest in CHECKSUMS.items()}


def framed(data: bytes, trailers: dict[str, str], chunk: int = 4) -> bytes:
    pieces = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    body = b"".join(b"%x;chunk-signature=ab\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    lines = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
    return body + b"0\r\n" + lines.encode() + b"\r\n"


def put(remote: Any, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    """(status, error code) of a PUT as another SDK sends it."""
    url = urllib.parse.urlsplit(remote.meta.endpoint_url)
    line = http.client.HTTPConnection(url.netloc)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request("PUT", path, body, names)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    code = re.search("<Code>(.*)</Code>", text)
    return answer.status, code[1] if code else ""


CHUNKED = {"content_encoding": "aws-chunked", "x_amz_decoded_content_length": str(len(DATA))}


def object_body(remote: Any, key: str) -> bytes:
    body: bytes = remote.get_object(Bucket="lake", Key=key)["Body"].read()
    return body


@pytest.mark.parametrize("name", SUMS)
def test_every_checksum_after_the_body_is_verified_and_kept(remote: Any, name: str) -> None:
    header = f"x-amz-checksum-{name.lower()}"
    headers = CHUNKED | {"x_amz_trailer": header}
    headers["x_amz_content_sha256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert put(remote, "/lake/a", framed(DATA, {header: SUMS[name]}), **headers) == (200, "")
    found = remote.get_object(Bucket="lake", Key="a", ChecksumMode="ENABLED")
    assert found["Body"].read() == DATA
    assert found[f"Checksum{name}"] == SUMS[name]
    assert "ContentEncoding" not in found

    wrong = base64.b64encode(bytes(len(CHECKSUMS[name]))).decode()
    body = framed(b"other", {header: wrong})
    headers["x_amz_decoded_content_length"] = "5"
    assert put(remote, "/lake/a", body, **headers) == (400, "BadDigest")
    assert object_body(remote, "a") == DATA


@pytest.mark.parametrize("name", SUMS)
def test_every_checksum_before_the_body_is_verified_and_kept(remote: Any, name: str) -> None:
    remote.put_object(Bucket="lake", Key="a", Body=DATA, **{f"Checksum{name}": SUMS[name]})
    found = remote.head_object(Bucket="lake", Key="a", ChecksumMode="ENABLED")
    assert found[f"Checksum{name}"] == SUMS[name]
    with pytest.raises(ClientError, match="BadDigest"):
        remote.put_object(Bucket="lake", Key="a", Body=b"x", **{f"Checksum{name}": SUMS[name]})
    with pytest.raises(ClientError, match=f"Value for x-amz-checksum-{name.lower()} header is"):
        remote.put_object(Bucket="lake", Key="a", Body=b"x", **{f"Checksum{name}": "eA=="})


@pytest.mark.parametrize("name", SUMS)
def test_a_part_is_stored_without_its_framing(remote: Any, name: str) -> None:
    started = remote.create_multipart_upload(Bucket="lake", Key="big", ChecksumAlgorithm=name)
    upload = started["UploadId"]
    header = f"x-amz-checksum-{name.lower()}"
    path = f"/lake/big?partNumber=1&uploadId={upload}"
    body = framed(DATA, {header: SUMS[name]})
    assert put(remote, path, body, **CHUNKED, x_amz_trailer=header) == (200, "")
    (part,) = remote.list_parts(Bucket="lake", Key="big", UploadId=upload)["Parts"]
    assert (part["Size"], part[f"Checksum{name}"]) == (len(DATA), SUMS[name])
    wrong = framed(b"other", {header: SUMS[name]})
    headers = CHUNKED | {"x_amz_decoded_content_length": "5", "x_amz_trailer": header}
    assert put(remote, path, wrong, **headers) == (400, "BadDigest")
    listed = {"PartNumber": 1, "ETag": part["ETag"], f"Checksum{name}": SUMS[name]}
    where = {"Bucket": "lake", "Key": "big", "UploadId": upload}
    with pytest.raises(ClientError, match="x-amz-mp-object-size"):
        remote.complete_multipart_upload(
            **where, MultipartUpload={"Parts": [listed]}, MpuObjectSize=1
        )
    remote.complete_multipart_upload(
        **where, MultipartUpload={"Parts": [listed]}, MpuObjectSize=len(DATA)
    )
    assert object_body(remote, "big") == DATA


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (framed(DATA, {})[:-8], {}, "IncompleteBody"),
        (b"zz\r\n", {}, "IncompleteBody"),
        (framed(DATA[1:], {}), {}, "IncompleteBody"),
        (framed(DATA, {}), {"x_amz_trailer": "x-amz-checksum-crc32"}, "MalformedTrailerError"),
        (framed(DATA, {"x-amz-checksum-crc32": SUMS["CRC32"]}), {}, "InvalidRequest"),
        (framed(DATA, {}), {"x_amz_trailer": "x-amz-checksum-crc16"}, "InvalidRequest"),
        (
            framed(DATA, {"x-amz-checksum-sha1": SUMS["SHA1"]}),
            {
                "x_amz_trailer": "x-amz-checksum-sha1",
                "x_amz_checksum_crc32": SUMS["CRC32"],
            },
            "InvalidRequest",
        ),
    ],
)
def test_a_framing_that_does_not_hold_is_refused(
    remote: Any, body: bytes, headers: dict[str, str], code: str
) -> None:
    assert put(remote, "/lake/a", body, **(CHUNKED | headers)) == (400, code)
    assert remote.list_objects_v2(Bucket="lake")["KeyCount"] == 0


def test_the_encoding_of_the_content_stays_and_that_of_the_transfer_goes(remote: Any) -> None:
    headers = CHUNKED | {"content_encoding": "gzip,aws-chunked"}
    assert put(remote, "/lake/a", framed(DATA, {}), **headers) == (200, "")
    found = remote.get_object(Bucket="lake", Key="a")
    assert (found["ContentEncoding"], found["Body"].read()) == ("gzip", DATA)


def test_a_body_with_the_type_of_a_form_is_a_body(remote: Any) -> None:
    kind = "application/x-www-form-urlencoded"  # what curl --data says
    assert put(remote, "/lake/a", b"a=1&b=2", content_type=kind) == (200, "")
    assert object_body(remote, "a") == b"a=1&b=2"


def test_a_body_that_is_not_the_one_that_was_signed_is_refused(remote: Any) -> None:
    signed = hashlib.sha256(b"signed").hexdigest()
    assert put(remote, "/lake/a", b"signed", x_amz_content_sha256=signed)[0] == 200
    code = put(remote, "/lake/a", b"forged", x_amz_content_sha256=signed)[1]
    assert code == "XAmzContentSHA256Mismatch"
    assert object_body(remote, "a") == b"signed"


def test_a_copy_in_parts_copies_the_version_that_was_looked_at(remote: Any) -> None:
    data = os.urandom(1 << 20) * 9  # boto3 copies more than 8 MB in parts, with an If-Match
    remote.put_object(Bucket="lake", Key="a", Body=data)
    remote.copy({"Bucket": "lake", "Key": "a"}, "lake", "b")
    assert object_body(remote, "b") == data
    upload = remote.create_multipart_upload(Bucket="lake", Key="c")["UploadId"]
    where = {"Bucket": "lake", "Key": "c", "UploadId": upload, "PartNumber": 1}
    for condition in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": remote.head_object(Bucket="lake", Key="a")["ETag"]},
        {"CopySourceIfModifiedSince": datetime(2100, 1, 1, tzinfo=UTC)},
        {"CopySourceIfUnmodifiedSince": datetime(2000, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            remote.upload_part_copy(**where, CopySource="lake/a", **condition)


def post(signed: dict[str, Any], data: bytes, **more: str) -> Any:
    fields = {**signed["fields"], **more, "file": ("up.csv", data)}
    return urllib3.request("POST", signed["url"], fields=fields, redirect=False)


def test_a_form_uploads_what_its_policy_allows(remote: Any) -> None:
    conditions: list[Any] = [["starts-with", "$x-amz-meta-who", "m"]]
    conditions += [{"Content-Type": "text/csv"}, ["content-length-range", 2, 5]]
    signed = remote.generate_presigned_post(
        *("lake", "in/${filename}"), Fields={"Content-Type": "text/csv"}, Conditions=conditions
    )
    assert post(signed, b"1,2", **{"x-amz-meta-who": "me"}).status == 204
    found = remote.get_object(Bucket="lake", Key="in/up.csv")
    assert (found["Body"].read(), found["ContentType"]) == (b"1,2", "text/csv")
    assert found["Metadata"] == {"who": "me"}

    for data, more, code in (
        (b"1,2", {"x-amz-meta-who": "you"}, "AccessDenied"),
        (b"1,2", {"x-amz-meta-who": "me", "acl": "private"}, "AccessDenied"),
        (b"1", {"x-amz-meta-who": "me"}, "EntityTooSmall"),
        (b"1,2,3,4", {"x-amz-meta-who": "me"}, "EntityTooLarge"),
    ):
        assert f"<Code>{code}</Code>" in post(signed, data, **more).data.decode()
    assert object_body(remote, "in/up.csv") == b"1,2"

    late = remote.generate_presigned_post("lake", "late", ExpiresIn=-1)
    assert "Policy expired" in post(late, b"x").data.decode()
    del late["fields"]["policy"]
    assert post(late, b"x").status == 403


def test_a_form_answers_as_it_was_asked_to(remote: Any) -> None:
    fields = {"success_action_status": "201"}
    signed = remote.generate_presigned_post("lake", "a b", Fields=fields, Conditions=[fields])
    answer = post(signed, b"x")
    assert answer.status == 201
    assert "<Key>a b</Key>" in answer.data.decode()
    fields = {"success_action_redirect": "http://localhost:1/done"}
    signed = remote.generate_presigned_post("lake", "c", Fields=fields, Conditions=[fields])
    answer = post(signed, b"x")
    assert answer.status == 303
    assert answer.headers["Location"].startswith("http://localhost:1/done?bucket=lake&key=c&etag=")


def test_pyarrow_writes_what_it_reads(remote: Any) -> None:
    files = pyarrow.fs.S3FileSystem(
        **{"access_key": "a", "secret_key": "b", "region": "us-east-1", "scheme": "http"},
        endpoint_override=urllib.parse.urlsplit(remote.meta.endpoint_url).netloc,
    )
    table = pyarrow.table({"n": list(range(1000)), "text": ["ü"] * 1000})
    pyarrow.parquet.write_table(table, "lake/t/a.parquet", filesystem=files)
    assert pyarrow.parquet.read_table("lake/t/a.parquet", filesystem=files) == table
    data = os.urandom(1 << 20) * 12  # more than one part
    with files.open_output_stream("lake/large") as stream:
        stream.write(data)
    assert object_body(remote, "large") == data


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Any, int]]:
    """(client, process id) of a server in a process of its own."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from localaws.core import server as http\n"
        "from localaws.core.aws import start\n"
        "from localaws.s3.api import service\n"
        "listener = http.bind(0)\n"
        "aws = start(Path(sys.argv[1]), [service])\n"
        "with http.BackgroundServer(listener, aws.gateway) as server:\n"
        "    print(server.url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    client = boto3.client(
        *("s3", "us-east-1"),
        endpoint_url=url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    client.create_bucket(Bucket="lake")
    yield client, process.pid
    client.close()
    process.kill()
    process.wait()


def peak_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert match
    return int(match[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_object_is_never_held_in_memory(alone: tuple[Any, int], tmp_path: Path) -> None:
    client, pid = alone
    file = tmp_path / "large.bin"
    with file.open("wb") as sparse:
        sparse.truncate(400 << 20)
    client.put_object(Bucket="lake", Key="warm", Body=b"x")
    before = peak_mb(pid)
    with file.open("rb") as body:
        client.put_object(Bucket="lake", Key="large", Body=body)
    upload = client.create_multipart_upload(Bucket="lake", Key="parts")["UploadId"]
    with file.open("rb") as body:
        client.upload_part(
            **{"Bucket": "lake", "Key": "parts", "UploadId": upload}, PartNumber=1, Body=body
        )
    stream = client.get_object(Bucket="lake", Key="large")["Body"]
    read = sum(len(piece) for piece in stream.iter_chunks(1 << 20))
    assert read == 400 << 20
    assert peak_mb(pid) - before < 100


def test_pandas_writes_through_awswrangler(remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import awswrangler
    import pandas

    monkeypatch.setattr(awswrangler.config, "s3_endpoint_url", remote.meta.endpoint_url)
    session = boto3.Session("any", "any", region_name="us-east-1")
    frame = pandas.DataFrame({"n": range(1000), "day": ["mon", "tue"] * 500})
    awswrangler.s3.to_parquet(
        frame, "s3://lake/t/", dataset=True, partition_cols=["day"], boto3_session=session
    )
    back = awswrangler.s3.read_parquet("s3://lake/t/", dataset=True, boto3_session=session)
    assert sorted(back["n"]) == list(range(1000))
    awswrangler.s3.to_csv(frame, "s3://lake/t.csv", index=False, boto3_session=session)
    assert object_body(remote, "t.csv").startswith(b"n,day\n0,mon\n")
