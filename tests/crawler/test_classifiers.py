"""XML, logs and JSON by paths: https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyarrow import orc

from localaws.crawler import documents
from localaws.tables import grok

LOG = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326\n'
XML = "<c><b id='1'><Name>x</Name><n>1</n></b><b id='2'><Name>y</Name><n>2.5</n></b></c>"


@pytest.mark.parametrize(
    ("text", "classifier", "columns", "parameters"),
    [
        (XML, {"XMLClassifier": {"Classification": "books", "RowTag": "b"}},
         {"_id": "int", "name": "string", "n": "double"},
         {"classification": "books", "rowTag": "b", "recordCount": "2"}),
        (XML, None, {"_id": "int", "name": "string", "n": "double"},
         {"classification": "xml", "rowTag": "b"}),
        (LOG, None,
         {"clientip": "string", "ident": "string", "auth": "string", "timestamp": "string",
          "verb": "string", "request": "string", "httpversion": "string", "rawrequest": "string",
          "response": "string", "bytes": "string"},
         {"classification": "apache", "grokPattern": "%{COMMONAPACHELOG}", "recordCount": "1"}),
        ("1 INFO a b\n2 WARN c\n",
         {"GrokClassifier": {"Classification": "own", "CustomPatterns": "REST .*",
          "GrokPattern": "%{INT:n:int} %{LOGLEVEL:level} %{REST:message}"}},
         {"n": "int", "level": "string", "message": "string"}, {"classification": "own"}),
        ('[{"a": 1, "B": {"c": true}}, {"a": 2.5}]',
         {"JsonClassifier": {"JsonPath": "$[*]"}},
         {"a": "double", "b": "struct<c:boolean>"}, {"jsonPath": "$[*]"}),
        ('{"x": {"items": [1, 2]}}', {"JsonClassifier": {"JsonPath": "$.x.items[*]"}},
         {"record": "int"}, {"classification": "json"}),
    ],
    ids=["xml", "built-in xml", "built-in log", "grok", "json", "json scalars"],
)  # fmt: skip
def test_a_file_is_what_its_classifier_says(
    crawls: Any, text: str, classifier: Any, columns: Any, parameters: Any
) -> None:
    names = []
    if classifier is not None:
        ((kind, given),) = classifier.items()
        crawls.glue.create_classifier(**{kind: {"Name": "own", **given}})
        found = crawls.glue.get_classifier(Name="own")["Classifier"][kind]
        assert {name: found[name] for name in given} == given
        names = ["own"]
    crawls.put("raw/one.txt", text)
    crawls.create(Classifiers=names)
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"
    (table,) = crawls.tables().values()
    assert crawls.columns(table["Name"]) == columns
    assert {name: table["Parameters"].get(name) for name in parameters} == parameters


@pytest.mark.parametrize(
    ("text", "classification", "cells"),
    [
        ("# Logfile created on 2026-11-30 10:00:00 +0000 by logger.rb/v1.6.0\n"
         "I, [2026-11-30T10:00:00.123456 #321]  INFO -- : started\n"
         "E, [2026-11-30T10:00:01.123456 #321] ERROR -- shop: a: b\n",
         "ruby_logger", {"timestamp": "2026-11-30T10:00:01.123456", "pid": "321",
                         "loglevel": "ERROR", "progname": "shop", "message": "a: b"}),
        ("1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://a.example/x?y=1 -"
         " DIRECT/64.12.20.1 image/gif\n",
         "squid", {"timestamp": "1286536309.586", "duration": "921",
                   "client_address": "192.168.0.68", "cache_result": "TCP_MISS",
                   "status_code": "200", "bytes": "507", "request_method": "POST",
                   "url": "http://a.example/x?y=1", "user": "-", "hierarchy_code": "DIRECT",
                   "server": "64.12.20.1", "content_type": "image/gif"}),
        ('1339518083.107412 [0 127.0.0.1:60866] "keys" "*"\n',
         "redismonlog", {"timestamp": "1339518083.107412", "database": "0", "client": "127.0.0.1",
                         "port": "60866", "command": "keys", "params": "*"}),
        ("[4018] 14 Nov 07:01:22.119 * Background saving terminated with success\n"
         "[4018] 14 Nov 07:01:23.119 # Warned\n",
         "redislog", {"pid": "4018", "timestamp": "14 Nov 07:01:23.119"}),
    ],
    ids=["ruby", "squid", "redis monitor", "redis"],
)  # fmt: skip
def test_logs_of_programs_are_recognised_and_read(
    text: str, classification: str, cells: dict[str, str]
) -> None:
    found = documents.logs(text)
    assert found is not None and found.classification == classification
    assert [(name, kind) for name, kind in found.columns] == [(name, "string") for name in cells]
    line = text.splitlines()[-1]
    assert grok.cells(line, found.pattern, found.patterns) == list(cells.values())


def test_orc_and_avro_say_themselves_what_they_hold(crawls: Any, tmp_path: Path) -> None:
    columns = {"n": pa.array([1, None], pa.int32()), "Price": pa.array([Decimal("1.50")] * 2)}
    orc.write_table(pa.table(columns), tmp_path / "o")
    schema = {
        "type": "record", "name": "r", "fields": [
            {"name": "Id", "type": ["null", "long"]},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "own", "type": {"type": "record", "name": "in", "fields": [
                {"name": "m", "type": {"type": "map", "values": "int"}}]}},
            {"name": "same", "type": {"type": "array", "items": "in"}},
        ],
    }  # fmt: skip
    inner = {"m": {"a": 1}}
    with (tmp_path / "a").open("wb") as file:
        rows = [{"Id": 1, "at": datetime(2026, 1, 2), "own": inner, "same": [inner]}]
        fastavro.writer(file, schema, rows)
    crawls.put("raw/orcs/o", (tmp_path / "o").read_bytes())
    crawls.put("raw/avros/a", (tmp_path / "a").read_bytes())
    crawls.create()
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert crawls.columns("orcs") == {"n": "int", "price": "decimal(3,2)"}
    assert crawls.columns("avros") == {
        "id": "bigint",
        "at": "timestamp",
        "own": "struct<m:map<string,int>>",
        "same": "array<struct<m:map<string,int>>>",
    }
    avros = crawls.tables()["avros"]
    assert avros["Parameters"]["classification"] == "avro"
    literal = avros["StorageDescriptor"]["SerdeInfo"]["Parameters"]["avro.schema.literal"]
    assert json.loads(literal)["fields"][0] == schema["fields"][0]

    crawls.put("raw/avros/b", b"Obj\x01 and no more")
    assert "s3://lake/raw/avros/b cannot be read" in crawls.run()["LastCrawl"]["ErrorMessage"]


def test_classifiers_that_a_crawl_could_not_go_by_are_refused(crawls: Any) -> None:
    for given, told in (
        ({"JsonClassifier": {"Name": "j", "JsonPath": "$..a"}}, "JsonPath"),
        ({"GrokClassifier": {"Name": "g", "Classification": "c", "GrokPattern": "%{NONE:x}"}},
         "NONE"),
        ({"XMLClassifier": {"Name": "x", "Classification": "c"}}, "RowTag"),
        ({}, "one classifier"),
    ):  # fmt: skip
        with pytest.raises(ClientError, match=told):
            crawls.glue.create_classifier(**given)
