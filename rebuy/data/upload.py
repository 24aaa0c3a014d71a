"""Put a folder of raw files into a bucket, each with a SHA-256 that can be read back.

The files go up as they are: the original ones or generated ones, unpacked. Compressed files
are not taken: these are the files as they are published.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from configuration.errors import InputError
from rebuy.data.contract.checking import looks_at
from rebuy.data.contract.sources import SourceFile, Sources, of_folder
from rebuy.data.files import RAW_FILES
from tasks.functions.raw_checks import SHAPES
from tasks.functions.storage import stored_sha256

# One PutObject takes 5 GiB at most. Parts would give a checksum of checksums instead of the
# file's own SHA-256, which nobody could compare with the file.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
MOST_BYTES = 5 * 1024**3

Progress = Callable[[str, int, int], None]  # (file name, bytes read so far, bytes in all)


@dataclass(frozen=True)
class Uploaded:
    """A raw file that is now in the bucket."""

    name: str
    uri: str
    bytes: int
    sha256: str  # of the file, in hex
    unchanged: bool  # the same bytes were there already: nothing was sent


def upload(
    folder: Path,
    bucket: str,
    client: Any,
    *,
    allow_partial: bool = False,
    progress: Progress | None = None,
) -> list[Uploaded]:
    """Put the six raw files of `folder`, or those in the folders of its tables, to
    s3://<bucket>/raw/<table>/<file>, in a fixed order.

    `client` is a boto3 S3 client. An object that already has the file's SHA-256 is left alone.
    Other files in the folder are ignored. `allow_partial` also takes a folder in which some of
    the six are missing, for trying out what a pipeline says to that.

    Raises InputError before anything is sent if the folder or a file is missing, empty or above
    5 GiB, and for whatever the first look of a run (and of `rebuy data check`) would refuse.
    Errors of S3 come through as botocore's ClientError.
    """
    folder = Path(folder)
    files = files_of(folder, allow_partial)
    sha256 = _checked(folder, files)
    uploaded = []
    for file in files:
        key = f"raw/{file.table}/{file.name.removeprefix('raw/').removeprefix(f'{file.table}/')}"
        uploaded.append(put(file.path, key, bucket, client, sha256[file.name], progress))
    return uploaded


def files_of(folder: Path, allow_partial: bool = False) -> list[SourceFile]:
    """The raw files that are there: of each table all that its folder holds, if there are such
    folders; else the six. Raises InputError when one is missing."""
    wanted = ", ".join(file.name for file in RAW_FILES)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; one that holds {wanted} is wanted.")
    if any((folder / table).is_dir() for table in SHAPES):
        return list(of_folder(folder).files)
    found = [file for file in RAW_FILES if (folder / file.name).is_file()]
    missing = [file.name for file in RAW_FILES if file not in found]
    if not found or (missing and not allow_partial):
        present = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise InputError(
            f"{folder} lacks {', '.join(missing)}. It holds {present}; wanted are {wanted}, "
            "unpacked and under these names, or in folders of their tables."
        )
    return [SourceFile(folder / file.name, file.name, file.table) for file in found]


def check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} has {size:,} bytes; at most {MOST_BYTES:,} can be put at once.")


def _checked(folder: Path, files: list[SourceFile]) -> dict[str, str]:
    """The SHA-256 of each file, by name. Raises InputError for what a run would refuse."""
    for file in files:
        check_size(file.path)
        if not file.path.stat().st_size:
            header = ",".join(file.shape.columns)
            raise InputError(f"{file.path} is empty; its header must be {header!r}.")
    _, sha256, findings = looks_at(Sources(folder, tuple(files)))
    if findings:
        said = "".join(f"\n  {finding.said()}" for finding in findings)
        raise InputError(f"{folder} holds what a run would refuse:{said}")
    return sha256


def put(
    path: Path, key: str, bucket: str, client: Any, sha256: str, progress: Progress | None = None
) -> Uploaded:
    """One file, of this SHA-256 in hex, unless an object of this key has its bytes already."""
    size = path.stat().st_size
    unchanged = _sha256_there(bucket, key, client) == sha256
    if not unchanged:
        with _WatchedFile(path, progress) as body:
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ContentType=mimetypes.guess_type(path.name)[0] or "text/plain",
                ChecksumAlgorithm="SHA256",
                # S3 refuses the object if it received other bytes.
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            )
    elif progress:
        progress(path.name, size, size)
    return Uploaded(path.name, f"s3://{bucket}/{key}", size, sha256, unchanged)


def _sha256_there(bucket: str, key: str, client: Any) -> str | None:
    """The whole-object SHA-256 (hex) of what is stored; None without object or checksum."""
    try:
        head = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            # A missing bucket answers HeadObject with 404 as well; the put then says so by name.
            return None
        raise
    return stored_sha256(head)


class _WatchedFile(FileIO):
    """A file that reports how far it has been read; reading it again reports nothing new."""

    def __init__(self, path: Path, progress: Progress | None) -> None:
        super().__init__(path, "rb")
        self._progress = progress
        self._file_name = path.name
        self._size = path.stat().st_size
        self._furthest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, as any file gives them."""
        data = super().read(-1 if size is None else size)
        if self._progress and self.tell() > self._furthest:
            self._furthest = self.tell()
            self._progress(self._file_name, self._furthest, self._size)
        return data
