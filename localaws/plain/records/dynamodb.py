"""Tables and their items. Records of streams are not kept: no operation reads them."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table

from localaws.shapes import Json


def keep(backend: Any) -> Json:
    return {"tables": [_table(table) for table in backend.tables.values()]}


def restore(backend: Any, kept: Json) -> None:
    for each in kept["tables"]:
        backend.tables[each["name"]] = _table_of(each, backend)


def _table(table: Any) -> Json:
    """Members in the shape of DescribeTable; items as GetItem gives them."""
    return {
        "name": table.name,
        "attributes": table.attr,
        "key_schema": table.schema,
        "billing_mode": table.billing_mode,
        "throughput": table.throughput,
        "warm_throughput": table.warm_throughput,
        "global_indexes": [index.describe() for index in table.global_indexes],
        "local_indexes": [index.describe() for index in table.indexes],
        "stream": table.stream_specification,
        "stream_label": table.latest_stream_label,
        "encryption": table.sse_specification,
        "protected": table.deletion_protection_enabled,
        "tags": table.tags,
        "time_to_live": table.ttl,
        "created": table.created_at.isoformat(),
        "items": [
            {name: _plain(value) for name, value in item.attrs.items()} for item in _items(table)
        ],
    }


def _items(table: Any) -> list[Any]:
    if not table.has_range_key:
        return list(table.items.values())
    return [item for below in table.items.values() for item in below.values()]


def _table_of(kept: Json, backend: Any) -> Table:
    table = Table(
        kept["name"],
        account_id=backend.account_id,
        region=backend.region_name,
        schema=kept["key_schema"],
        attr=kept["attributes"],
        throughput=kept["throughput"],
        warm_throughput=kept["warm_throughput"],
        billing_mode=kept["billing_mode"],
        global_indexes=kept["global_indexes"],
        indexes=kept["local_indexes"],
        sse_specification=kept["encryption"],
        tags=kept["tags"],
        deletion_protection_enabled=kept["protected"],
    )
    table.created_at = datetime.fromisoformat(kept["created"])
    table.ttl = kept["time_to_live"]
    table.stream_specification = kept["stream"]
    table.latest_stream_label = kept["stream_label"]
    if kept["stream"] and kept["stream"].get("StreamEnabled"):
        table.stream_shard = StreamShard(backend.account_id, table)
    for item in kept["items"]:
        attributes = {name: _typed(value) for name, value in item.items()}
        key = DynamoType(attributes[table.hash_key_attr])
        if table.range_key_attr is None:
            table.items[key] = Item(key, None, attributes)
        else:
            range_key = DynamoType(attributes[table.range_key_attr])
            table.items[key][range_key] = Item(key, range_key, attributes)
    return table


def _plain(value: Any) -> Any:
    """`{"S": "text"}`, `{"M": {...}}` and so on, of moto's value; bytes are base64 texts."""
    inner = value.value
    if isinstance(inner, dict):
        inner = {name: _plain(each) for name, each in inner.items()}
    elif isinstance(inner, list | set):
        inner = [_plain(each) if isinstance(each, DynamoType) else _text(each) for each in inner]
    return {value.type: _text(inner)}


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _typed(written: Json) -> Json:
    """What `_plain` wrote, with bytes as bytes again."""
    ((kind, inner),) = written.items()
    if kind == "M":
        return {kind: {name: _typed(each) for name, each in inner.items()}}
    if kind == "L":
        return {kind: [_typed(each) for each in inner]}
    if kind == "B":
        return {kind: base64.b64decode(inner)}
    if kind == "BS":
        return {kind: [base64.b64decode(each) for each in inner]}
    return written
