"""Custom classifiers: the Glue verbs, and the rules a crawl takes from them."""

from __future__ import annotations

from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.crawler.schema import CsvRules, GrokRules, JsonRules, Rules, XmlRules
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json
from localaws.tables import grok
from localaws.tables.errors import TableError
from localaws.tables.json_paths import json_path

_KIND = "glue-classifiers"
_CSV = "CsvClassifier"
_MEMBERS = {
    _CSV: (
        "Name", "Delimiter", "QuoteSymbol", "ContainsHeader", "Header", "DisableValueTrimming",
        "AllowSingleColumn", "CustomDatatypeConfigured", "CustomDatatypes", "Serde",
    ),
    "XMLClassifier": ("Name", "Classification", "RowTag"),
    "JsonClassifier": ("Name", "JsonPath"),
    "GrokClassifier": ("Name", "Classification", "GrokPattern", "CustomPatterns"),
}  # fmt: skip
_FIELDS = tuple(f"{kind}.{name}" for kind, names in _MEMBERS.items() for name in names)
_KIND_OF = "Kind"  # of a document: which classifier it is; one without is of CSV
_DATATYPES = {
    "STRING": "string", "BOOLEAN": "boolean", "DATE": "date", "DOUBLE": "double", "FLOAT": "float",
    "INT": "int", "LONG": "bigint", "SHORT": "smallint", "TIMESTAMP": "timestamp",
}  # fmt: skip


class Classifiers:
    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def register(self, service: Service) -> None:
        for name, handler, parameters in (
            ("CreateClassifier", self.create, _FIELDS),
            ("UpdateClassifier", self.aws.documents.atomic(self.update), _FIELDS),
            ("GetClassifier", self.describe, ("Name",)),
            ("GetClassifiers", self.describe_all, ("MaxResults", "NextToken")),
            ("DeleteClassifier", self.delete, ("Name",)),
        ):
            service.operation(name, *parameters)(handler)

    def create(self, call: Call) -> Json:
        given = self._given(call)
        now = self.aws.clock.now()
        document = {**given, "CreationTime": now, "LastUpdated": now, "Version": 1}
        if not self.aws.documents.insert(_KIND, given["Name"], document):
            raise AwsError("AlreadyExistsException", f"{given['Name']} already exists")
        return {}

    def update(self, call: Call) -> Json:
        given = self._given(call)
        before = self.get(given["Name"])
        changed = {**before, **given, "LastUpdated": self.aws.clock.now()}
        changed["Version"] = before["Version"] + 1
        self.aws.documents.put(_KIND, given["Name"], changed)
        return {}

    def describe(self, call: Call) -> Json:
        return {"Classifier": _shown(self.get(call.params["Name"]))}

    def describe_all(self, call: Call) -> Json:
        classifiers, more = page(self.aws.documents.items(_KIND), call.params)
        return {"Classifiers": [_shown(one) for one in classifiers], **more}

    def delete(self, call: Call) -> Json:
        self.get(call.params["Name"])
        self.aws.documents.delete(_KIND, call.params["Name"])
        return {}

    def get(self, name: str) -> Json:
        found = self.aws.documents.get(_KIND, name)
        if found is None:
            raise AwsError("EntityNotFoundException", f"Classifier {name} not found.")
        return found

    def rules(self, name: str) -> Rules:
        """The classifier as inference wants it."""
        given = self.get(name)
        kind = given.get(_KIND_OF, _CSV)
        if kind == "XMLClassifier":
            return XmlRules(given["RowTag"], given["Classification"])
        if kind == "JsonClassifier":
            return JsonRules(given["JsonPath"])
        if kind == "GrokClassifier":
            patterns = given["GrokPattern"], given.get("CustomPatterns") or ""
            return GrokRules(given["Classification"], *patterns)
        return self._csv_rules(given)

    def _csv_rules(self, given: Json) -> CsvRules:
        types: tuple[str, ...] = ()
        if given.get("CustomDatatypeConfigured"):
            types = tuple(_DATATYPES[kind] for kind in given.get("CustomDatatypes") or [])
        serde = given.get("Serde")
        return CsvRules(
            delimiter=given.get("Delimiter"),
            quote=given.get("QuoteSymbol"),
            contains_header=given.get("ContainsHeader", "UNKNOWN"),
            header=tuple(given.get("Header") or ()),
            trim=not given.get("DisableValueTrimming", False),
            single_column=bool(given.get("AllowSingleColumn")),
            serde=serde if serde in ("OpenCSVSerDe", "LazySimpleSerDe") else None,
            types=types,
        )

    def _given(self, call: Call) -> Json:
        """The one classifier of the call, with its kind. Raises InvalidInputException, and
        NotEmulated for what a crawl could not go by."""
        named = [kind for kind in _MEMBERS if call.params.get(kind)]
        if len(named) != 1:
            raise AwsError(
                "InvalidInputException", f"A call has one classifier, of {', '.join(_MEMBERS)}."
            )
        kind, given = named[0], call.params[named[0]]
        if kind == _CSV:
            _check_csv(call.operation, given)
        elif kind == "XMLClassifier" and not given.get("RowTag"):
            raise NotEmulated("glue", call.operation, "XMLClassifier without RowTag")
        elif kind == "JsonClassifier" and json_path(given["JsonPath"]) is None:
            raise NotEmulated(
                *("glue", call.operation, f"JsonClassifier.JsonPath={given['JsonPath']}"),
                "It takes paths like $, $.a.b, $.items[*].",
            )
        elif kind == "GrokClassifier":
            try:
                grok.program(given["GrokPattern"], given.get("CustomPatterns") or "")
            except TableError as error:
                raise AwsError("InvalidInputException", str(error)) from error
        return {**given, _KIND_OF: kind}


def _shown(document: Json) -> Json:
    inner = {name: value for name, value in document.items() if name != _KIND_OF}
    return {document.get(_KIND_OF, _CSV): inner}


def _check_csv(operation: str, given: Json) -> None:
    for key, choices in {
        "ContainsHeader": ("UNKNOWN", "PRESENT", "ABSENT"),
        "Serde": ("OpenCSVSerDe", "LazySimpleSerDe", "None"),
    }.items():
        if given.get(key) is not None and given[key] not in choices:
            raise AwsError(
                "InvalidInputException",
                f"{key} is {given[key]!r}; it is one of {', '.join(choices)}.",
            )
    for kind in given.get("CustomDatatypes") or []:
        if kind not in _DATATYPES:
            raise NotEmulated("glue", operation, f"CsvClassifier.CustomDatatypes {kind}")
