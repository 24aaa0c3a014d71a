"""Amazon S3, on plain files."""

from __future__ import annotations

from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.durability import DOUBT_SECONDS
from localaws.core.service import Service
from localaws.core.signals import EventSent
from localaws.errors import AwsError
from localaws.s3 import answers, encryption, website
from localaws.s3.bucket_operations import BucketOperations
from localaws.s3.copying import Copies
from localaws.s3.cors import Cors
from localaws.s3.forms import Forms
from localaws.s3.index import Index
from localaws.s3.lifecycle import Lifecycle
from localaws.s3.listing import Listings
from localaws.s3.memory import return_large_blocks
from localaws.s3.missing import check_bytes
from localaws.s3.object_operations import ObjectOperations
from localaws.s3.objects import Objects
from localaws.s3.owners import check_owners
from localaws.s3.power_cut import take_out_torn
from localaws.s3.tagging import Tagging
from localaws.s3.upload_operations import UploadOperations
from localaws.shapes import Json


def service(aws: LocalAws) -> Service:
    """S3 with its bytes under `objects/` and its index in `s3.sqlite`; sets `aws.object_store`."""

    def publish(bucket: str, kind: str, detail: dict[str, Any]) -> None:
        event = aws.event(
            "aws.s3", kind, detail | {"requester": aws.account}, [f"arn:aws:s3:::{bucket}"]
        )
        aws.signals.publish(EventSent(event))

    answers.install()
    return_large_blocks()
    root, file = aws.home.directory("objects"), aws.home.store("s3.sqlite")
    index = Index(file)
    check_bytes(index, root)
    aws.durability.keep(file)
    if aws.durability.power_was_cut:
        take_out_torn(index, root, DOUBT_SECONDS)
    objects = Objects(root, index, publish, aws.clock, aws.durability.wrote)
    aws.object_store = objects
    s3 = Service("s3")
    for part in (
        BucketOperations(objects),
        Listings(objects),
        ObjectOperations(objects, aws.authorize),
        Copies(objects, aws.authorize),
        Tagging(objects),
        UploadOperations(objects, aws.authorize),
    ):
        part.register(s3)
    cors = Cors(objects.buckets)
    s3.routes[website.PREFIX] = website.route(objects, cors)
    check_owners(s3, objects.buckets)
    s3.public.add(website.PREFIX)
    s3.lets_in = lambda operation, params: website.everyone_may(objects, operation, params)
    s3.form = Forms(objects, aws)
    s3.pages = cors
    aws.authorize.resource_policies["s3"] = objects.buckets.policy_of

    def properties(bucket: str, key: str, version: str | None) -> Json:
        try:
            return objects.head(bucket, key, version).properties
        except AwsError:  # which the operation itself will tell
            return {}

    aws.authorize.more["s3"] = encryption.KeysAsked(aws, objects.buckets, properties)
    lifecycle = Lifecycle(objects, aws.clock)
    s3.on_start(lifecycle.start)
    s3.on_stop(lifecycle.stop)
    s3.on_stop(objects.index.close)
    return s3
