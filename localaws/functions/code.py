"""Deployment packages: kept and unzipped by content, so equal code is one folder."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import lzma
import os
import shutil
import stat
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.shapes import Json

# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ZIPPED_LIMIT_BYTES = 50 << 20  # uploaded directly; from S3 only the unzipped limit counts
UNZIPPED_LIMIT_BYTES = 250 << 20
MEMBERS = 100_000
LONGEST_NAME_BYTES = 255  # of a file or folder
# Damaged, encrypted, packed in a way that is not known, or one name a file and a folder.
UNUSABLE = (
    *(zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError),
    *(FileExistsError, NotADirectoryError, IsADirectoryError, ValueError),
)
REFUSED = (errno.ENAMETOOLONG, errno.ELOOP)  # of the machine's errors, those of a bad archive


@dataclass(frozen=True)
class Package:
    """A stored deployment package. `sha256` is hexadecimal."""

    sha256: str
    size_bytes: int

    @property
    def code_sha256(self) -> str:
        """As the API shows it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


class CodeStore:
    """`<home>/functions/code/<sha256>.zip` and the folder of the same name."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    @property
    def _root(self) -> Path:
        return self._aws.home.directory("functions/code")

    def store(self, aws: LocalAws, code: Json) -> Package:
        """Keeps the package of a `Code` structure, read as the caller of `aws`.

        Raises InvalidParameterValueException if it is unusable.
        """
        if "ZipFile" in code and not ("S3Bucket" in code or "S3Key" in code):
            data: bytes = code["ZipFile"]
            if len(data) > ZIPPED_LIMIT_BYTES:
                raise AwsError("RequestEntityTooLargeException", "Zip file is over 50 MB.", 413)
        elif "S3Bucket" in code and "S3Key" in code and "ZipFile" not in code:
            data = self._from_s3(aws, code["S3Bucket"], code["S3Key"])
        else:
            raise AwsError(
                "InvalidParameterValueException",
                "Please provide a source for function code: ZipFile, or S3Bucket and S3Key.",
            )
        digest = hashlib.sha256(data).hexdigest()
        package = Package(digest, len(data))
        if not self.folder(digest).is_dir():
            self._unzip(data, digest)
        return package

    def folder(self, sha256: str) -> Path:
        """The unzipped package."""
        return self._root / sha256

    def archive(self, sha256: str) -> Path:
        """The package as it was uploaded."""
        return self._root / f"{sha256}.zip"

    def _from_s3(self, aws: LocalAws, bucket: str, key: str) -> bytes:
        try:
            file = aws.objects.path(bucket, key)
            size_bytes = file.stat().st_size
            if size_bytes <= UNZIPPED_LIMIT_BYTES:
                return file.read_bytes()
        except (AwsError, OSError) as problem:
            code = problem.code if isinstance(problem, AwsError) else "NoSuchKey"
            raise AwsError(
                "InvalidParameterValueException",
                f"Error occurred while GetObject. S3 Error Code: {code}. "
                f"S3 Error Message: s3://{bucket}/{key}: {problem}",
            ) from problem
        raise too_large(size_bytes)

    def _unzip(self, data: bytes, digest: str) -> None:
        fresh = self._root / f"{digest}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                check_members(archive)
                unpack(archive, fresh)
        except (*UNUSABLE, OSError) as problem:
            if not isinstance(problem, UNUSABLE) and problem.errno not in REFUSED:
                raise
            shutil.rmtree(fresh, ignore_errors=True)
            raise AwsError(
                "InvalidParameterValueException",
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            ) from problem
        self.archive(digest).write_bytes(data)
        fresh.mkdir(exist_ok=True)  # an empty archive
        fresh.rename(self.folder(digest))


def too_large(size_bytes: int) -> AwsError:
    """The refusal of a package that is `size_bytes` unzipped, or would be at least."""
    return AwsError(
        "InvalidParameterValueException",
        f"Unzipped size must be smaller than {UNZIPPED_LIMIT_BYTES} bytes; it is {size_bytes}.",
    )


def check_members(archive: zipfile.ZipFile) -> None:
    """Refuses an archive that is too large or that would write outside its folder."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > UNZIPPED_LIMIT_BYTES:
        raise too_large(size)
    if len(members) > MEMBERS:
        raise AwsError(
            "InvalidParameterValueException",
            f"The zip file has {len(members)} members; {MEMBERS} are taken.",
        )
    for member in members:
        if any(len(os.fsencode(p)) > LONGEST_NAME_BYTES for p in member.filename.split("/")):
            raise AwsError(
                "InvalidParameterValueException",
                f"The zip file has a name over {LONGEST_NAME_BYTES} bytes:"
                f" {member.filename[:LONGEST_NAME_BYTES]}...",
            )
        if member.filename.startswith("/") or ".." in member.filename.split("/"):
            raise AwsError(
                "InvalidParameterValueException",
                f"The zip file has a member outside its folder: {member.filename}",
            )


def unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    """All members; a symbolic link stays one, and may lead nowhere outside the folder."""
    links = [each for each in archive.infolist() if stat.S_ISLNK(each.external_attr >> 16)]
    names = {link.filename for link in links}
    archive.extractall(folder, [name for name in archive.namelist() if name not in names])
    for link in links:
        place = folder / link.filename
        _check_inside(place.parent, folder, link)  # an earlier link may be on the way
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.fsdecode(archive.read(link)))
    for link in links:  # once all are there: one may lead through another
        _check_inside(folder / link.filename, folder, link)
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / link.filename).stat()  # fails in a ring, also where resolve does not (3.13)


def _check_inside(place: Path, folder: Path, link: zipfile.ZipInfo) -> None:
    if not place.resolve().is_relative_to(folder.resolve()):
        shutil.rmtree(folder)
        raise AwsError(
            "InvalidParameterValueException",
            f"The zip file has a link that leads outside its folder: {link.filename}",
        )
