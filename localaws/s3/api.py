"""Amazon S3, on plain files."""

from __future__ import annotations

from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.core.signals import EventSent
from localaws.s3 import (
    answers,
    bucket_operations,
    listing,
    object_operations,
    upload_operations,
    website,
)
from localaws.s3.index import Index
from localaws.s3.lifecycle import Lifecycle
from localaws.s3.memory import return_large_blocks
from localaws.s3.objects import Objects


def service(aws: LocalAws) -> Service:
    """S3 with its bytes under `objects/` and its index in `s3.sqlite`; sets `aws.objects`."""

    def publish(bucket: str, kind: str, detail: dict[str, Any]) -> None:
        event = aws.event(
            "aws.s3", kind, detail | {"requester": aws.account}, [f"arn:aws:s3:::{bucket}"]
        )
        aws.signals.publish(EventSent(event))

    answers.install()
    return_large_blocks()
    objects = Objects(
        aws.home.directory("objects"),
        Index(aws.home.file("s3.sqlite")),
        publish,
        aws.clock,
    )
    aws.objects = objects
    s3 = Service("s3")
    bucket_operations.register(s3, objects)
    listing.register(s3, objects)
    object_operations.register(s3, objects)
    upload_operations.register(s3, objects)
    s3.routes[website.PREFIX] = website.route(objects)
    lifecycle = Lifecycle(objects, aws.clock)
    s3.on_start(lifecycle.start)
    s3.on_stop(lifecycle.stop)
    s3.on_stop(objects.index.close)
    return s3
