"""Raw files go to their tables' folders with checksums, once."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from configuration.errors import InputError
from rebuy.data.files import RAW_FILES
from rebuy.data.upload import upload

BUCKET = "lake"
KEYS = [
    "raw/aisles/aisles.csv",
    "raw/departments/departments.csv",
    "raw/products/products.csv",
    "raw/orders/orders.csv",
    "raw/order_products/order_products__prior.csv",
    "raw/order_products/order_products__train.csv",
]


@pytest.fixture
def s3(aws: Any) -> Any:
    client = aws.client("s3")
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    client.create_bucket(Bucket=BUCKET, **({} if aws.region == "us-east-1" else elsewhere))
    return client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The six files with a line each."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for number, file in enumerate(RAW_FILES):
        row = ",".join(str(number) for _ in file.columns)
        (raw / file.name).write_text(f"{','.join(file.columns)}\n{row}\n")
    return raw


def keys(s3: Any) -> list[str]:
    return sorted(item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []))


def test_every_file_lands_in_the_folder_of_its_table(s3: Any, folder: Path) -> None:
    uploaded = upload(folder, BUCKET, s3)
    assert [item.uri for item in uploaded] == [f"s3://{BUCKET}/{key}" for key in KEYS]
    assert keys(s3) == sorted(KEYS)
    for item, key in zip(uploaded, KEYS, strict=True):
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == (folder / item.name).read_bytes()
        assert (item.bytes, item.unchanged) == (len(body), False)


def test_the_checksum_of_the_file_can_be_read_back(s3: Any, folder: Path) -> None:
    for item in upload(folder, BUCKET, s3):
        key = item.uri.removeprefix(f"s3://{BUCKET}/")
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        digest = hashlib.sha256((folder / item.name).read_bytes())
        assert base64.b64decode(head["ChecksumSHA256"]) == digest.digest()
        assert item.sha256 == digest.hexdigest()


def test_only_what_changed_is_sent_again(s3: Any, folder: Path) -> None:
    upload(folder, BUCKET, s3)
    before = s3.head_object(Bucket=BUCKET, Key=KEYS[0])["LastModified"]
    with (folder / "orders.csv").open("a") as orders:
        orders.write("2,2,prior,1,0,08,\n")
    again = {item.name: item.unchanged for item in upload(folder, BUCKET, s3)}
    assert [name for name, unchanged in again.items() if not unchanged] == ["orders.csv"]
    assert s3.head_object(Bucket=BUCKET, Key=KEYS[0])["LastModified"] == before


def test_an_object_without_a_checksum_is_replaced(s3: Any, folder: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEYS[0], Body=(folder / "aisles.csv").read_bytes())
    assert not upload(folder, BUCKET, s3)[0].unchanged


def test_the_header_may_be_quoted_and_other_files_are_ignored(s3: Any, folder: Path) -> None:
    (folder / "aisles.csv").write_text('\ufeff"aisle_id","aisle"\r\n1,"bread"\r\n')
    (folder / "sample_submission.csv").write_text("order_id,products\n")
    upload(folder, BUCKET, s3)
    assert keys(s3) == sorted(KEYS)


def test_progress_rises_to_the_size_of_each_file(s3: Any, folder: Path) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    def note(name: str, done: int, total: int) -> None:
        seen.setdefault(name, []).append((done, total))

    for _ in range(2):  # sent, then unchanged
        seen.clear()
        upload(folder, BUCKET, s3, progress=note)
        for file in RAW_FILES:
            size = (folder / file.name).stat().st_size
            steps = [done for done, _ in seen[file.name]]
            assert steps == sorted(set(steps))
            assert seen[file.name][-1] == (size, size)


def test_a_missing_file_is_named_before_anything_is_sent(s3: Any, folder: Path) -> None:
    (folder / "orders.csv").rename(folder / "orders.csv.gz")
    with pytest.raises(InputError) as refusal:
        upload(folder, BUCKET, s3)
    assert "lacks orders.csv. It holds aisles.csv, departments.csv" in str(refusal.value)
    assert "orders.csv.gz" in str(refusal.value)
    assert "unpacked and under these names" in str(refusal.value)
    assert keys(s3) == []


def test_a_partial_folder_goes_up_when_that_is_asked_for(s3: Any, folder: Path) -> None:
    (folder / "orders.csv").unlink()
    uploaded = upload(folder, BUCKET, s3, allow_partial=True)
    assert [item.name for item in uploaded] == [
        file.name for file in RAW_FILES if file.name != "orders.csv"
    ]


def test_a_folder_with_none_of_the_files_is_refused_even_as_a_partial_one(
    s3: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"It holds nothing; wanted are aisles\.csv"):
        upload(tmp_path / "empty", BUCKET, s3, allow_partial=True)


def test_a_file_is_no_folder(s3: Any, folder: Path) -> None:
    with pytest.raises(InputError, match=r"orders\.csv is not a folder; one that holds aisles"):
        upload(folder / "orders.csv", BUCKET, s3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", " is empty; its header"),
        ("order_id,product_id\n1,2\n", ", line 1: its first line is no header"),
        ('aisle_id,aisle\n1,"a\nb"\n', ", line 2: a quote is still open"),
    ],
)
def test_a_file_that_a_run_would_refuse_is_not_sent(
    s3: Any, folder: Path, content: str, says: str
) -> None:
    (folder / "aisles.csv").write_text(content)
    with pytest.raises(InputError) as refusal:
        upload(folder, BUCKET, s3)
    assert f"aisles.csv{says}" in str(refusal.value)
    assert keys(s3) == []


def test_a_missing_bucket_is_reported_by_s3_itself(s3: Any, folder: Path) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        upload(folder, "no-such-lake", s3)
