"""Custom CSV classifiers: the Glue verbs, and the rules a crawl takes from them."""

from __future__ import annotations

from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.crawler.schema import CsvRules
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

_KIND = "glue-classifiers"
_OTHERS = ("GrokClassifier", "XMLClassifier", "JsonClassifier")
_FIELDS = tuple(
    f"CsvClassifier.{name}"
    for name in (
        "Name", "Delimiter", "QuoteSymbol", "ContainsHeader", "Header", "DisableValueTrimming",
        "AllowSingleColumn", "CustomDatatypeConfigured", "CustomDatatypes", "Serde",
    )
)  # fmt: skip
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
        given = self._csv(call)
        now = self.aws.clock.now()
        document = {**given, "CreationTime": now, "LastUpdated": now, "Version": 1}
        if not self.aws.documents.insert(_KIND, given["Name"], document):
            raise AwsError("AlreadyExistsException", f"{given['Name']} already exists")
        return {}

    def update(self, call: Call) -> Json:
        given = self._csv(call)
        before = self.get(given["Name"])
        changed = {**before, **given, "LastUpdated": self.aws.clock.now()}
        changed["Version"] = before["Version"] + 1
        self.aws.documents.put(_KIND, given["Name"], changed)
        return {}

    def describe(self, call: Call) -> Json:
        return {"Classifier": {"CsvClassifier": self.get(call.params["Name"])}}

    def describe_all(self, call: Call) -> Json:
        classifiers, more = page(self.aws.documents.items(_KIND), call.params)
        return {"Classifiers": [{"CsvClassifier": one} for one in classifiers], **more}

    def delete(self, call: Call) -> Json:
        self.get(call.params["Name"])
        self.aws.documents.delete(_KIND, call.params["Name"])
        return {}

    def get(self, name: str) -> Json:
        found = self.aws.documents.get(_KIND, name)
        if found is None:
            raise AwsError("EntityNotFoundException", f"Classifier {name} not found.")
        return found

    def rules(self, name: str) -> CsvRules:
        """The classifier as inference wants it."""
        given = self.get(name)
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

    def _csv(self, call: Call) -> Json:
        for other in _OTHERS:
            if call.params.get(other):
                raise NotEmulated("glue", call.operation, other, "CsvClassifier is.")
        given: Json | None = call.params.get("CsvClassifier")
        if not given:
            raise AwsError("InvalidInputException", "CsvClassifier is missing.")
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
                raise NotEmulated("glue", call.operation, f"CsvClassifier.CustomDatatypes {kind}")
        return given
