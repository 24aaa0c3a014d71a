"""The objects that a run begins with, copied: later changes to them are not this run's."""

from __future__ import annotations

import shutil
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import JobFailed
from localaws.errors import AwsError
from localaws.glue_jobs import studio
from localaws.s3.names import split_uri


def fetch(aws: LocalAws, uri: str, folder: Path) -> Path:
    """The object, as a file in the folder. Raises JobFailed."""
    try:
        bucket, key = split_uri(uri)
        source = aws.objects.path(bucket, key)
    except ValueError as error:
        raise JobFailed(f"LAUNCH ERROR | {error}") from error
    except AwsError as error:
        message = f"File not found in S3: {uri} ({error.code})"
        raise JobFailed(f"LAUNCH ERROR | {message}") from error
    folder.mkdir(exist_ok=True)
    target = folder / key.rpartition("/")[2]
    shutil.copyfile(source, target)
    return target


def python_path(aws: LocalAws, uri: str, folder: Path) -> Path:
    """What must be on the module path for one of --extra-py-files (.py, .zip, .egg, .whl)."""
    if name := studio.transform(uri):
        return studio.write_module(name, folder)
    file = fetch(aws, uri, folder)
    return folder if file.suffix == ".py" else file
