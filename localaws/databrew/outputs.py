"""Where a job's result goes: what an output may say, and files that become its objects.

How the files are named stands in `writing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.databrew.documents import invalid
from localaws.databrew.writing import REASONS, SUFFIXES, Written, combinations
from localaws.errors import NotEmulated
from localaws.shapes import Json


def checked(operation: str, output: Json) -> Json:
    """The output with DataBrew's defaults.

    Raises NotEmulated for a format or compression that is not written here, ValidationException
    for what could destroy a bucket.
    """
    found = {"Format": "CSV", "PartitionColumns": [], "Overwrite": False, **output}
    kind, packed = found["Format"], found.get("CompressionFormat")
    if kind not in SUFFIXES or packed not in SUFFIXES[kind][1]:
        reason = REASONS.get((kind, packed), f"It has {', '.join(combinations())}.")
        raise NotEmulated(
            "databrew", operation, f"Outputs.Format={kind},CompressionFormat={packed}", reason
        )
    if found["Overwrite"]:
        _check_overwrite(found["Location"])
    return found


def in_catalog(aws: LocalAws, operation: str, output: Json) -> Json:
    """Raises ValidationException for what excludes each other, NotEmulated for another account."""
    if ("S3Options" in output) == ("DatabaseOptions" in output):
        raise invalid("DataCatalogOutputs: each has either S3Options or DatabaseOptions.")
    if output.get("Overwrite") and "DatabaseOptions" in output:
        raise invalid("DataCatalogOutputs: Overwrite does not go with DatabaseOptions.")
    if output.get("CatalogId", aws.account) != aws.account:
        raise NotEmulated(
            *("databrew", operation, f"DataCatalogOutputs.CatalogId={output['CatalogId']}"),
            f"It has the account {aws.account}.",
        )
    if output.get("Overwrite"):
        _check_overwrite(output["S3Options"]["Location"])
    return output


def _check_overwrite(location: Json) -> None:
    if not location.get("Key", "").strip("/"):
        raise invalid("Overwrite without Location.Key would delete the whole bucket.")


def publish(aws: LocalAws, output: Json, written: Sequence[Written]) -> None:
    """Makes the files objects; with Overwrite what was at the location before goes, files of the
    same name too: the job's role must be allowed to delete."""
    location = output["Location"]
    old: set[str] = set()
    if output["Overwrite"]:
        prefix = location["Key"].strip("/") + "/"
        old = {item.key for item in aws.objects.list(location["Bucket"], prefix)}
    for item in written:
        if item.key in old:
            aws.objects.delete(item.bucket, item.key)
        aws.objects.adopt(item.bucket, item.key, Path(item.file))
    for key in old - {item.key for item in written}:
        aws.objects.delete(location["Bucket"], key)
