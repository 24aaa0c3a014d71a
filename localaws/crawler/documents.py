"""Files of records that are no rows of cells: JSON, XML, lines of logs."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from xml.parsers.expat import ExpatError

from localaws.crawler.schema import GrokRules, Schema, XmlRules
from localaws.crawler.types import Array, Kind, Struct, all_merged, merged, written
from localaws.tables import grok, xml_records
from localaws.tables.errors import TableError
from localaws.tables.json_paths import at_path, json_path

_BETWEEN = re.compile(r"[\s,]*")
_GROK_TYPES = {"byte": "tinyint", "short": "smallint", "int": "int", "long": "bigint",
               "boolean": "boolean"}  # fmt: skip
# https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html, in its order. The patterns of the
# last four are not published: GUESSED, with the names of columns that Logstash's patterns of these
# logs have. Microsoft's log, of which AWS tells no more than the name, is not among them.
_LOGS = (
    GrokRules("combined_apache", "%{COMBINEDAPACHELOG}"),
    GrokRules("apache", "%{COMMONAPACHELOG}"),
    GrokRules("linux_kernel", "%{SYSLOGBASE} %{GREEDYDATA:message}"),
    GrokRules(
        "ruby_logger",
        r"^[DIWEFA], \[%{TIMESTAMP_ISO8601:timestamp} *#%{POSINT:pid}\] +%{WORD:loglevel} --"
        " +%{DATA:progname}: %{GREEDYDATA:message}",
    ),
    GrokRules(
        "squid",
        "^%{NUMBER:timestamp} +%{INT:duration} %{IPORHOST:client_address} %{WORD:cache_result}/"
        "%{NONNEGINT:status_code} %{INT:bytes} %{WORD:request_method} %{NOTSPACE:url}"
        " %{NOTSPACE:user} %{WORD:hierarchy_code}/%{NOTSPACE:server} %{NOTSPACE:content_type}",
    ),
    GrokRules(
        "redismonlog",
        r"^%{NUMBER:timestamp} \[%{INT:database} %{IP:client}:%{POSINT:port}\]"
        ' "%{WORD:command}" ?%{GREEDYDATA:params}',
    ),
    GrokRules(
        "redislog",
        r"^\[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} [-.*#]",
        "REDISTIMESTAMP %{MONTHDAY} %{MONTH} %{TIME}",
    ),
)
_LOOKED_AT = 100  # lines of a log


# JSON


def json_lines(text: str, whole: bool) -> Schema | None:
    """One object a line; a sample may end within one."""
    if not text.lstrip().startswith("{"):
        return None
    lines = text.splitlines()
    if not whole:
        lines = lines[:-1]
    columns: dict[str, Kind] = {}
    for line in lines:
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError:
            return None
        if not isinstance(document, dict):
            return None
        for name, value in document.items():
            columns[name.lower()] = merged(columns.get(name.lower()), _json_type(value))
    if not columns:
        return None
    return Schema("json", tuple((name, written(kind)) for name, kind in columns.items()))


def json_array(text: str) -> Schema | None:
    """A file that is one array, as far as the sample goes: a column of that type, called `array`.

    https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html#custom-classifier-json
    """
    if not text.lstrip().startswith("["):
        return None
    decoder, at, kinds = json.JSONDecoder(), text.index("[") + 1, []
    while at < len(text):
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == "]":
            break
        try:
            item, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        kinds.append(_json_type(item))
    if not kinds:
        return None
    return Schema("json", (("array", written(Array(all_merged(kinds)))),))


def _json_type(value: Any) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if abs(value) < 1 << 31 else "bigint"
    if isinstance(value, float):
        return "double"
    if isinstance(value, list):
        return Array(all_merged(map(_json_type, value)))
    if isinstance(value, dict):
        fields: dict[str, Kind] = {}
        for name, item in value.items():
            fields[name.lower()] = merged(fields.get(name.lower()), _json_type(item))
        return Struct(tuple(fields.items()))
    return None if value is None else "string"


def json_at_path(text: str, whole: bool, path: str) -> Schema | None:
    """What is at the path of every document; something that is no object is the field `record`.

    https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html#custom-classifier-json
    """
    steps, decoder, at = json_path(path), json.JSONDecoder(), 0
    if steps is None:
        return None
    found: list[Any] = []
    stripped = text.strip()
    while at < len(stripped):
        try:
            value, at = decoder.raw_decode(stripped, at)
        except ValueError:
            if whole or not found:
                return None
            break
        found += at_path(value, steps)
        at = _BETWEEN.match(stripped, at).end()  # type: ignore[union-attr]
    columns = _columns_of([each if isinstance(each, dict) else {"record": each} for each in found])
    return Schema("json", columns, pattern=path) if columns else None


def _columns_of(records: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    columns: dict[str, Kind] = {}
    for record in records:
        for name, value in record.items():
            columns[name.lower()] = merged(columns.get(name.lower()), _json_type(value))
    return tuple((name, written(kind)) for name, kind in columns.items())


# XML


def xml(text: str, rule: XmlRules | None = None) -> Schema | None:
    """The elements of the rule's name, or, as GUESSED, those within the document's own element."""
    if not text.lstrip().startswith("<"):
        return None
    tag = rule.tag if rule else _repeated(text)
    if tag is None:
        return None
    found = []
    rules = xml_records.Rules(tag)
    try:
        for value in xml_records.records(io.BytesIO(text.encode()), rules):
            found.append(value if isinstance(value, dict) else {rules.value: value})
    except ExpatError:
        if not found:
            return None  # a sample ends within an element
    columns = _columns_of(found)
    if not columns:
        return None
    kind = rule.classification if rule else "xml"
    return Schema(kind, columns, rows=len(found), serde="Xml", pattern=tag)


def _repeated(text: str) -> str | None:
    """The name of the first element in the document's own."""
    names = re.findall(
        r"<([A-Za-z_][\w.:-]*)", re.sub(r"<!--.*?-->|<\?.*?\?>", "", text, flags=re.S)
    )
    return names[1] if len(names) > 1 else None


# Logs


def logs(text: str) -> Schema | None:
    """By the patterns that are built in."""
    for rule in _LOGS:
        found = by_grok(text, rule)
        if found is not None:
            return found
    return None


def by_grok(text: str, rule: GrokRules) -> Schema | None:
    """Where the first lines are all of the pattern: a column for each name in it."""
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    if lines and lines[0].startswith("# Logfile created on "):  # by Ruby's logger
        lines = lines[1:]
    try:
        _, captures = grok.program(rule.pattern, rule.custom)
        if not lines or not all(
            grok.cells(line, rule.pattern, rule.custom) for line in lines[:-1] or lines
        ):
            return None
    except TableError:
        return None
    columns = tuple((key.lower(), _GROK_TYPES.get(kind, "string")) for key, kind in captures)
    return Schema(
        rule.classification, columns, serde="Grok", pattern=rule.pattern, patterns=rule.custom
    )
