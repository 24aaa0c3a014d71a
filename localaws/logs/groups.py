"""Log groups, their retention and tags, and the streams in them.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.identity.actions.asked import Asked
from localaws.identity.caller import Caller
from localaws.identity.policy.request import Value
from localaws.kms import api as kms
from localaws.logs.errors import (
    MOST_OF_A_PAGE,
    check_name,
    invalid,
    limit,
    no_group,
    no_stream,
    unmet,
)
from localaws.logs.store import LogStore
from localaws.shapes import Json, without_nulls
from localaws.sqlite import Row

MOST_TAGS = 50
# docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS")


class Groups:
    def __init__(self, aws: LocalAws, store: LogStore) -> None:
        self._store = store
        self._clock = aws.clock
        self._aws = aws
        self._arn = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:"

    def register(self, service: Service) -> None:
        add = service.operation
        add("CreateLogGroup", "logGroupName", "kmsKeyId", "tags", "logGroupClass")(self.create)
        add(
            *("DescribeLogGroups", "logGroupNamePrefix", "logGroupNamePattern", "logGroupClass"),
            *("nextToken", "limit"),
        )(self.describe)
        add("DeleteLogGroup", "logGroupName")(self.delete)
        add("AssociateKmsKey", "logGroupName", "kmsKeyId")(self.associate_key)
        add("DisassociateKmsKey", "logGroupName")(self.disassociate_key)
        add("PutRetentionPolicy", "logGroupName", "retentionInDays")(self.put_retention)
        add("DeleteRetentionPolicy", "logGroupName")(self.delete_retention)
        add("TagResource", "resourceArn", "tags")(self.tag)
        add("TagLogGroup", "logGroupName", "tags")(self.tag)
        add("UntagResource", "resourceArn", "tagKeys")(self.untag)
        add("UntagLogGroup", "logGroupName", "tags")(self.untag)
        add("ListTagsForResource", "resourceArn")(self.tags)
        add("ListTagsLogGroup", "logGroupName")(self.tags)
        add("CreateLogStream", "logGroupName", "logStreamName")(self.create_stream)
        add(
            *("DescribeLogStreams", "logGroupName", "logGroupIdentifier", "logStreamNamePrefix"),
            *("orderBy", "descending", "nextToken", "limit"),
        )(self.describe_streams)
        add("DeleteLogStream", "logGroupName", "logStreamName")(self.delete_stream)

    def find(self, call: Call) -> Row:
        """The group that a request names or gives the ARN of. Raises ResourceNotFoundException."""
        params = call.params
        given = params.get("logGroupIdentifier") or params.get("resourceArn") or ""
        name = params.get("logGroupName") or given.removeprefix(self._arn).removesuffix(":*")
        if not name:
            raise invalid("One of logGroupName and logGroupIdentifier has to be given.")
        found = self._store.group(name)
        if found is None:
            raise no_group()
        return found

    def find_stream(self, call: Call) -> Row:
        found = self._store.stream(self.find(call)["name"], call.params["logStreamName"])
        if found is None:
            raise no_stream()
        return found

    def create(self, call: Call) -> None:
        name = check_name(call.params, "logGroupName")
        kind = call.params.get("logGroupClass", "STANDARD")
        if kind not in CLASSES:
            raise unmet(kind, "logGroupClass", f"satisfy enum value set: [{', '.join(CLASSES)}]")
        tags = _few(call.params.get("tags", {}))
        self._check_key(name, call.params.get("kmsKeyId"))
        try:
            self._store.run(
                "INSERT INTO groups (name, created_ms, kms_key, class, tags)"
                " VALUES (?, ?, ?, ?, ?)",
                name, self.now_ms(), call.params.get("kmsKeyId"), kind, json.dumps(tags),
            )  # fmt: skip
        except sqlite3.IntegrityError:
            raise _exists("log group") from None

    def describe(self, call: Call) -> Json:
        prefix = call.params.get("logGroupNamePrefix", "")
        part = call.params.get("logGroupNamePattern", "").lower()
        if prefix and part:
            raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive.")
        kind = call.params.get("logGroupClass")
        found = page(
            (
                (row["name"], row)
                for row in self._store.rows("SELECT * FROM groups")
                if row["name"].startswith(prefix)
                and part in row["name"].lower()
                and kind in (None, row["class"])
            ),
            call.params.get("nextToken"),
            limit(call.params, MOST_OF_A_PAGE),
            invalid=invalid,
        )
        groups = [self._described(row) for row in found.items]  # each adds up its events' bytes
        return {"logGroups": groups, **found.next("nextToken")}

    def delete(self, call: Call) -> None:
        self._store.run("DELETE FROM groups WHERE name = ?", self.find(call)["name"])

    def associate_key(self, call: Call) -> None:
        self._check_key(self.find(call)["name"], call.params["kmsKeyId"])
        self._set_key(call, call.params["kmsKeyId"])

    def disassociate_key(self, call: Call) -> None:
        self._set_key(call, None)

    def _set_key(self, call: Call, key: str | None) -> None:
        name = self.find(call)["name"]
        self._store.run("UPDATE groups SET kms_key = ? WHERE name = ?", key, name)

    def _check_key(self, group: str, key: str | None) -> None:
        """The key's policy lets CloudWatch Logs use it.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
        if key is None:
            return
        aws = self._aws
        who = Caller(f"logs.{aws.region}.amazonaws.com", aws.account)
        try:
            used = kms.uses(aws, key, "Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey")
            about: dict[str, Value] = {"kms:encryptioncontext:aws:logs:arn": f"{self._arn}{group}"}
            used = [replace(one, keys=about) for one in used]
            refused = [one for one in used if not aws.authorize.allows(who, "kms", one)]
        except AwsError as error:
            refused = [Asked(error.code)]
        if refused:
            raise invalid(
                "The specified KMS key does not exist or is not allowed to be used with Arn"
                f" '{self._arn}{group}'"
            )

    def put_retention(self, call: Call) -> None:
        days = call.params["retentionInDays"]
        if days not in RETENTION_DAYS:
            raise invalid(
                f"Invalid retention value {days}. Valid values are:"
                f" {', '.join(str(one) for one in RETENTION_DAYS)}"
            )
        self._retain(call, days)

    def delete_retention(self, call: Call) -> None:
        self._retain(call, None)

    def _retain(self, call: Call, days: int | None) -> None:
        name = self.find(call)["name"]
        self._store.run(
            "UPDATE groups SET retention_days = ?, swept_ms = 0 WHERE name = ?", days, name
        )

    def tag(self, call: Call) -> None:
        with self._store.writing():
            group = self.find(call)
            self._put_tags(group, _few({**self._store.json(group["tags"]), **call.params["tags"]}))

    def untag(self, call: Call) -> None:
        gone = call.params.get("tagKeys") or call.params.get("tags") or []
        with self._store.writing():
            group = self.find(call)
            kept = {k: v for k, v in self._store.json(group["tags"]).items() if k not in gone}
            self._put_tags(group, kept)

    def _put_tags(self, group: Row, tags: dict[str, str]) -> None:
        self._store.run(
            "UPDATE groups SET tags = ? WHERE name = ?", json.dumps(tags), group["name"]
        )

    def tags(self, call: Call) -> Json:
        return {"tags": self._store.json(self.find(call)["tags"])}

    def create_stream(self, call: Call) -> None:
        name = check_name(call.params, "logStreamName")
        try:
            self._store.run(
                "INSERT INTO streams (in_group, name, created_ms) VALUES (?, ?, ?)",
                self.find(call)["name"], name, self.now_ms(),
            )  # fmt: skip
        except sqlite3.IntegrityError:
            raise _exists("log stream") from None

    def describe_streams(self, call: Call) -> Json:
        params = call.params
        by_time = params.get("orderBy", "LogStreamName") == "LastEventTime"
        prefix = params.get("logStreamNamePrefix", "")
        if by_time and prefix:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = self.find(call)
        found = page(
            (
                ((row["last_ms"] or 0, row["name"]) if by_time else row["name"], row)
                for row in self._store.streams(group["name"], prefix)
            ),
            params.get("nextToken"),
            limit(params, MOST_OF_A_PAGE),
            invalid=invalid,
            newest_first=bool(params.get("descending")),
        )
        streams = [self._described_stream(row) for row in found.items]
        return {"logStreams": streams, **found.next("nextToken")}

    def delete_stream(self, call: Call) -> None:
        self._store.run("DELETE FROM streams WHERE id = ?", self.find_stream(call)["id"])

    def now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _described(self, row: Row) -> Json:
        arn = self._arn + row["name"]
        size = self._store.rows(
            # What AWS counts of an event: its text and 26 bytes.
            "SELECT ifnull(sum(length(CAST(message AS BLOB)) + 26), 0) AS bytes FROM events"
            " WHERE stream IN (SELECT id FROM streams WHERE in_group = ?)",
            row["name"],
        )[0]
        return without_nulls(
            {
                "logGroupName": row["name"],
                "creationTime": row["created_ms"],
                "retentionInDays": row["retention_days"],
                "metricFilterCount": 0,
                "arn": f"{arn}:*",
                "storedBytes": size["bytes"],
                "kmsKeyId": row["kms_key"],
                "logGroupClass": row["class"],
                "logGroupArn": arn,
            }
        )

    def _described_stream(self, row: Row) -> Json:
        return without_nulls(
            {
                "logStreamName": row["name"],
                "creationTime": row["created_ms"],
                "firstEventTimestamp": row["first_ms"],
                "lastEventTimestamp": row["last_ms"],
                "lastIngestionTime": row["came_ms"],
                "uploadSequenceToken": str(row["writes"]) if row["writes"] else None,
                "arn": f"{self._arn}{row['in_group']}:log-stream:{row['name']}",
                "storedBytes": 0,  # of streams AWS says 0 since 2019
            }
        )


def _few(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MOST_TAGS:
        raise AwsError(
            "TooManyTagsException", f"A log group has at most {MOST_TAGS} tags, not {len(tags)}."
        )
    return tags


def _exists(what: str) -> AwsError:
    return AwsError("ResourceAlreadyExistsException", f"The specified {what} already exists")
