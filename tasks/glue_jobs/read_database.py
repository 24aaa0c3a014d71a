"""Orders and their lines from PostgreSQL: one snapshot of both, as files below raw/.

A Python shell job. Both tables are read in one transaction (REPEATABLE READ), so that no line is
without its order. A file holds the orders of a range of ids: one that holds what it held is not put
again, and the run takes over what became of it. What was read, and of which snapshot, lies with the
run: `runs/run=<run>/database.json`.

Python 3.9, boto3 and pg8000: https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import ssl
import tempfile
from typing import Any

Json = dict[str, Any]

IDS_A_FILE = 1_000_000
COLUMNS = {
    "orders": (
        "order_id", "user_id", "eval_set", "order_number", "order_dow", "order_hour_of_day",
        "days_since_prior_order",
    ),
    "order_products": ("order_id", "product_id", "add_to_cart_order", "reordered"),
}  # fmt: skip
ORDER = {"orders": "order_id", "order_products": "order_id, add_to_cart_order, product_id"}
URL = re.compile(r"jdbc:postgresql://([^:/]+):(\d+)/([^?]+)")
# Read first: what the transaction sees of others is decided by its first statement.
ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
SNAPSHOT = (
    "SELECT txid_current_snapshot()::text, to_char(now() AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), current_setting('server_version')"
)


def main() -> None:
    wanted = arguments()
    import boto3

    s3, glue = boto3.client("s3"), boto3.client("glue")
    properties = glue.get_connection(Name=wanted.database_connection)["Connection"][
        "ConnectionProperties"
    ]
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=properties["SECRET_ID"])
    connection = connect(properties, json.loads(secret["SecretString"]))
    try:
        document = read(connection, s3, wanted)
    finally:
        connection.close()
    document["connection"] = wanted.database_connection
    document["url"] = properties["JDBC_CONNECTION_URL"]
    body = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    key = f"runs/run={wanted.run}/database.json"
    s3.put_object(
        Bucket=wanted.lake_bucket, Key=key, Body=body, ContentType="application/json",
        ChecksumSHA256=checksum(hashlib.sha256(body)),
    )  # fmt: skip
    for table in document["tables"]:
        print(f"{table['table']}: {table['rows']} rows in {len(table['objects'])} files")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("database_connection", "raw_bucket", "lake_bucket", "run", *COLUMNS):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args()[0]  # Glue has arguments of its own


def connect(properties: Json, secret: Json) -> Any:
    from pg8000 import dbapi

    place = URL.fullmatch(properties["JDBC_CONNECTION_URL"])
    if place is None:
        raise ValueError(f"{properties['JDBC_CONNECTION_URL']} is no address of PostgreSQL.")
    tls = None
    if properties.get("JDBC_ENFORCE_SSL") == "true":
        # As Glue's own connections without a certificate: encrypted, whoever answers.
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return dbapi.connect(
        user=secret["username"], password=secret["password"], host=place[1], port=int(place[2]),
        database=place[3], ssl_context=tls, application_name="rebuy",
    )  # fmt: skip


def read(connection: Any, s3: Any, wanted: argparse.Namespace) -> Json:
    """{snapshot, read_at, server_version, tables: [{table, query, rows, last_order_id, objects:
    [{key, rows, bytes, sha256, put}]}]}; the files are below raw/ then, and no others of ours."""
    cursor = connection.cursor()
    cursor.execute(ONE_SNAPSHOT)
    cursor.execute(SNAPSHOT)
    snapshot, read_at, version = cursor.fetchone()
    tables = [
        read_table(cursor, s3, wanted.raw_bucket, name, vars(wanted)[name]) for name in COLUMNS
    ]
    connection.rollback()
    return {
        "snapshot": snapshot,
        "read_at": read_at,
        "server_version": version,
        "isolation": "repeatable read",
        "tables": tables,
    }


def read_table(cursor: Any, s3: Any, bucket: str, name: str, query: str) -> Json:
    rows = f"({query}) AS given" if " " in query else query
    cursor.execute(
        f"SELECT order_id::bigint / {IDS_A_FILE}, count(*), min(order_id), max(order_id)"
        f" FROM {rows} GROUP BY 1 ORDER BY 1"
    )
    parts = cursor.fetchall()
    if parts and (parts[-1][0] is None or parts[0][2] < 0):
        raise ValueError(f"{name} has rows without an order_id, or with one below 0.")
    objects = []
    for part, count, _, _ in parts:
        first = part * IDS_A_FILE
        text = (
            f"COPY (SELECT {', '.join(COLUMNS[name])} FROM {rows} WHERE order_id >= {first} AND"
            f" order_id < {first + IDS_A_FILE} ORDER BY {ORDER[name]}) TO STDOUT"
            " WITH (FORMAT csv, HEADER)"
        )
        with tempfile.TemporaryFile() as file:
            cursor.execute(text, stream=file)
            key = f"raw/{name}/database_{first:012d}.csv"
            objects.append({"key": key, "rows": count, **put(s3, bucket, key, file)})
    remove_others(s3, bucket, f"raw/{name}/database_", {each["key"] for each in objects})
    return {
        "table": name,
        "query": query,
        "rows": sum(count for _, count, _, _ in parts),
        "last_order_id": int(parts[-1][3]) if parts else None,
        "objects": objects,
    }


def put(s3: Any, bucket: str, key: str, file: Any) -> Json:
    """Puts the file, unless the object holds just that; {bytes, sha256, put}."""
    file.seek(0)
    digest = hashlib.sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        digest.update(block)
    told = {"bytes": file.tell(), "sha256": digest.hexdigest()}
    there = s3.list_objects_v2(Bucket=bucket, Prefix=key)
    if there["KeyCount"]:
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        if head.get("ChecksumSHA256") == checksum(digest):
            return {**told, "put": False}
    file.seek(0)
    s3.put_object(Bucket=bucket, Key=key, Body=file, ChecksumSHA256=checksum(digest))
    return {**told, "put": True}


def remove_others(s3: Any, bucket: str, prefix: str, kept: set[str]) -> None:
    """Of orders that are in the database no more."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if entry["Key"] not in kept:
                s3.delete_object(Bucket=bucket, Key=entry["Key"])


def checksum(digest: Any) -> str:
    return base64.b64encode(digest.digest()).decode()


if __name__ == "__main__":
    main()
