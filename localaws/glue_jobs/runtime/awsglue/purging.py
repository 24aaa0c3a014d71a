"""Objects that go: `purge_s3_path` and `purge_table`.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from awsglue.objects import ListedFile, MountedObjects
from awsglue.refusal import only, refuse
from localaws.s3.names import split_uri

_HOURS = 168.0  # what is younger stays, unless retentionPeriod says otherwise
_OPTIONS = ("retentionPeriod", "partitionPredicate", "excludeStorageClasses", "manifestFilePath")
_BATCH = 1000  # objects in a call of DeleteObjects
Json = dict[str, Any]


def purge_path(objects: MountedObjects, path: str, options: Mapping[str, Any]) -> bool:
    """Deletes what lies below the path; whether nothing is left there. Raises ClientError for
    what the role may not delete."""
    only("options of a purge", options, _OPTIONS)
    if options.get("manifestFilePath"):
        refuse("manifestFilePath of a purge")
    bucket, key = split_uri(path)
    prefix = key if not key or key.endswith("/") else f"{key}/"
    there = [file for file in objects.read(bucket, key) if f"{file.key}/".startswith(prefix)]
    latest = time.time() - 3600 * float(options.get("retentionPeriod", _HOURS))
    old = [file for file in there if file.modified_ns / 1e9 <= latest]
    _delete(bucket, old)
    return len(old) == len(there)


def _delete(bucket: str, files: Iterable[ListedFile]) -> None:
    """As objects, and as the files that this run has written and that are none yet."""
    import boto3

    client, listed = boto3.client("s3"), list(files)
    for at in range(0, len(listed), _BATCH):
        batch = listed[at : at + _BATCH]
        keys = [{"Key": file.key} for file in batch]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        for error in answer.get("Errors") or []:
            raise PermissionError(f"s3://{bucket}/{error['Key']}: {error['Message']}")
        for file in batch:
            file.path.unlink(missing_ok=True)


def purge_table(catalog: Any, table: Json, options: Mapping[str, Any]) -> None:
    """A table's objects; of its partitions those that the predicate names, with the partitions
    that become empty."""
    objects, predicate = catalog.objects, str(options.get("partitionPredicate") or "")
    if not table.get("PartitionKeys"):
        purge_path(objects, table["StorageDescriptor"]["Location"], options)
        return
    for partition in catalog.partitions(table, predicate):
        if purge_path(objects, partition["StorageDescriptor"]["Location"], options):
            catalog.client.delete_partition(
                DatabaseName=table["DatabaseName"],
                TableName=table["Name"],
                PartitionValues=partition["Values"],
            )
