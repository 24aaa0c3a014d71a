"""Put a shop's own files into the lake, by its mapping: in the folder of their kind, as UTF-8."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from configuration.errors import InputError
from configuration.mapping import Mapping
from configuration.mapping.compiled import rules
from configuration.mapping.sources import SourceFile, is_utf8, matching, not_readable
from rebuy.data.files import sha256_of
from rebuy.data.upload import Uploaded, check_size, put
from tasks.functions import source_files
from tasks.functions.plan_mapping import SOURCE_PREFIX

BLOCK_CHARACTERS = 1 << 20


def upload(mapping: Mapping, folder: Path, bucket: str, client: Any) -> list[Uploaded]:
    """Put every file that a pattern of the mapping names to s3://<bucket>/raw/source/<kind>/<name>.

    `client` is a boto3 S3 client. Raises InputError before anything is sent if a pattern names no
    file, or a file is not as the mapping says: with line, column and what is there.
    """
    files = matching(mapping, folder)
    findings = [finding for file in files for finding in wrong(mapping, file)]
    if findings:
        raise InputError(f"\n{source_files.told(findings)}")
    uploaded = []
    for file in files:
        with as_utf8(file) as path:
            check_size(path)
            key = f"{SOURCE_PREFIX}{file.kind}/{file.path.name}"
            uploaded.append(put(path, key, bucket, client, sha256_of(path)))
    return uploaded


def wrong(mapping: Mapping, file: SourceFile) -> list[str]:
    """What is wrong with a file, in words."""
    with as_utf8(file) as path, path.open("rb") as content:
        return source_files.look(str(file.path), content, rules(mapping, file.kind)).findings


@contextmanager
def as_utf8(file: SourceFile) -> Iterator[Path]:
    """The file, or a copy of it in UTF-8."""
    if file.files.format == "parquet" or is_utf8(file.files.encoding):
        yield file.path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.path.name
        try:
            with (
                file.path.open(encoding=file.files.encoding, newline="") as text,
                copy.open("w", encoding="utf-8", newline="") as out,
            ):
                while block := text.read(BLOCK_CHARACTERS):
                    out.write(block.removeprefix("\ufeff") if out.tell() == 0 else block)
        except UnicodeDecodeError as error:
            raise not_readable(file, error) from error
        yield copy
