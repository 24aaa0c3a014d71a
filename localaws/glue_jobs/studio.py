"""The transforms that Glue Studio gives a script by files of AWS's own bucket.

A job names them in `--extra-py-files`, as
`s3://aws-glue-studio-transforms-<account>-prod-<region>/gs_now.py`, and its script imports
`gs_now`: only then frames have it. The bucket is not here; the transforms are (runtime/awsglue).
https://docs.aws.amazon.com/glue/latest/dg/edit-jobs-transforms.html
"""

from __future__ import annotations

import re
from pathlib import Path

from localaws.core.jobs.job import JobFailed

_FILE = re.compile(r"s3://aws-glue-studio-transforms-\d{12}-prod-[a-z0-9-]+/(gs_\w+)\.py")
COMMON = "gs_common"  # what the others import on AWS
TRANSFORMS = (
    "gs_array_to_cols", "gs_concat", "gs_derived", "gs_explode", "gs_flatten",
    "gs_format_timestamp", "gs_now", "gs_null_rows", "gs_pivot", "gs_regex_extract",
    "gs_repartition", "gs_sequence_id", "gs_split", "gs_to_timestamp", "gs_uuid",
)  # fmt: skip


def transform(uri: str) -> str | None:
    """The transform that the file is; None for any other object."""
    found = _FILE.fullmatch(uri)
    return found[1] if found else None


def write_module(name: str, folder: Path) -> Path:
    """A module of this name in the folder, which gives frames the transform. Raises JobFailed
    for one that is not here."""
    if name not in (COMMON, *TRANSFORMS):
        raise JobFailed(
            f"LAUNCH ERROR | localaws does not emulate Glue Studio's {name}. It has"
            f" {', '.join(TRANSFORMS)}."
        )
    folder.mkdir(exist_ok=True)
    given = "" if name == COMMON else f'from awsglue.studio import give\n\ngive("{name}")\n'
    (folder / f"{name}.py").write_text(given)
    return folder
