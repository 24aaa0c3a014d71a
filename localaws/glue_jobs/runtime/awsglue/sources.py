"""Objects of S3 as a frame."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from typing import Any

from awsglue.bookmarks import BOOKMARK
from awsglue.dynamicframe import DynamicFrame
from awsglue.objects import at_paths
from awsglue.reading import FILE, Source, read

_COMPRESSIONS = ("", "none", "gzip", "bzip", "bzip2", "snappy")


class S3Source:
    """`getSource("s3", paths=[...])`: a format, then the frame."""

    def __init__(
        self,
        context: Any,
        options: Mapping[str, Any],
        transformation_ctx: str,
        format: str | None = None,
    ) -> None:
        self._context, self._options = context, options
        self._transformation_ctx = transformation_ctx
        self._format, self._format_options = format, dict[str, Any]()

    def setFormat(self, format: str | None, **options: Any) -> None:
        self._format, self._format_options = format, options

    def getFrame(self) -> DynamicFrame:
        if not self._format:
            raise ValueError("An S3 source needs a format.")
        compression = str(self._options.get("compressionType") or "")
        if compression not in _COMPRESSIONS:
            raise ValueError(f"compressionType is {compression}; it is gzip or bzip2.")
        listed = at_paths(self._context._objects(), self._options)
        files = BOOKMARK.fresh(self._transformation_ctx, listed, self._options)
        session = self._context.spark_session
        found = read(
            self._format,
            Source(
                session,
                files,
                self._format_options,
                compression="" if compression == "none" else compression,
            ),
        )
        return DynamicFrame(
            found.frame.drop(FILE), self._context, self._name(), schema=found.schema,
            stage_errors=found.errors,
            sparse=found.sparse,
        )  # fmt: skip

    def _name(self) -> str:
        """What the paths begin with alike, after its last colon, without `/` and `.`."""
        paths = self._options.get("paths", [])
        alike: str = os.path.commonprefix(paths)  # noqa: RUF071 - letters are meant
        return alike.rpartition(":")[2].replace("/", "").replace(".", "")
