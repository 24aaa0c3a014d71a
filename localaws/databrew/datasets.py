"""Datasets: what a recipe job reads."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew import paths
from localaws.databrew.documents import (
    arn,
    conflict,
    created,
    existing,
    invalid,
    modified,
    named,
    page,
)
from localaws.errors import NotEmulated
from localaws.shapes import Json

KIND = "databrew-dataset"
FORMATS = ("CSV", "EXCEL", "JSON", "ORC", "PARQUET")
DELIMITERS = (",", ";", ":", "|", "\t", "^", "\\", " ")
SETTINGS = (
    "Format",
    "FormatOptions.Csv",
    "FormatOptions.Excel",
    "FormatOptions.Json",
    "Input.S3InputDefinition",
    "PathOptions",
    "Input.DataCatalogInputDefinition.CatalogId",
    "Input.DataCatalogInputDefinition.DatabaseName",
    "Input.DataCatalogInputDefinition.TableName",
)


class Datasets:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def get(self, name: str) -> Json:
        """The dataset. Raises ResourceNotFoundException."""
        return existing(self._aws, "Dataset", name)

    def register(self, service: Service) -> None:
        service.operation("CreateDataset", "Name", "Tags", *SETTINGS)(self.create)
        service.operation("UpdateDataset", "Name", *SETTINGS)(self.update)
        service.operation("DescribeDataset", "Name")(lambda call: self.get(call.params["Name"]))
        service.operation("DeleteDataset", "Name")(self.delete)
        service.operation("ListDatasets", "MaxResults", "NextToken")(self.list)

    def create(self, call: Call) -> Json:
        name = named("dataset", call)
        document = {
            "Name": name,
            "Tags": call.params.get("Tags", {}),
            "ResourceArn": arn(self._aws, "dataset", name),
            **created(self._aws, call.caller),
            **_settings(call),
        }
        if not self._aws.documents.insert(KIND, name, document):
            raise conflict(f"Dataset {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        name = call.params["Name"]
        kept = ("Name", "Tags", "ResourceArn", "CreateDate", "CreatedBy")
        settings = modified(self._aws, call.caller) | _settings(call)
        with self._aws.documents.transaction():
            old = self.get(name)
            self._aws.documents.put(KIND, name, {each: old[each] for each in kept} | settings)
        return {"Name": name}

    def delete(self, call: Call) -> Json:
        """Raises ConflictException while a job uses it."""
        name = call.params["Name"]
        self.get(name)
        for job_name, job in self._aws.documents.items("databrew-job"):
            if job["DatasetName"] == name:
                raise conflict(f"Dataset {name} is used by job {job_name}.")
        for project_name, project in self._aws.documents.items("databrew-project"):
            if project["DatasetName"] == name:
                raise conflict(f"Dataset {name} is used by project {project_name}.")
        self._aws.documents.delete(KIND, name)
        return {"Name": name}

    def list(self, call: Call) -> Json:
        found, token = page(
            [
                (name, {"AccountId": self._aws.account, **item})
                for name, item in self._aws.documents.items(KIND)
            ],
            call.params,
        )
        return {"Datasets": found, **token}


def _settings(call: Call) -> Json:
    """The definition, checked. Raises ValidationException or NotEmulated."""
    given = call.params
    source = given["Input"]
    if len(source) != 1:
        raise invalid(
            "Input needs exactly one of S3InputDefinition and DataCatalogInputDefinition;"
            f" it has {', '.join(source) or 'none'}."
        )
    location = source.get("S3InputDefinition")
    if location is not None:
        try:
            paths.compiled(location.get("Key", ""), given.get("PathOptions", {}))
        except paths.PathError as error:
            raise invalid(str(error)) from error
    catalog = source.get("DataCatalogInputDefinition")
    if catalog is not None and not (catalog.get("DatabaseName") and catalog.get("TableName")):
        raise invalid("DataCatalogInputDefinition needs DatabaseName and TableName.")
    if given.get("Format") not in (None, *FORMATS):
        raise NotEmulated(
            "databrew", call.operation, f"Format={given['Format']}", f"It has {', '.join(FORMATS)}."
        )
    delimiter = given.get("FormatOptions", {}).get("Csv", {}).get("Delimiter", ",")
    if delimiter not in DELIMITERS:
        raise invalid(f"Csv.Delimiter is {delimiter!r}; it must be one of {DELIMITERS}.")
    found: Json = {
        "Input": source,
        "Source": "S3" if location is not None else "DATA-CATALOG",
        "FormatOptions": given.get("FormatOptions", {}),
        "PathOptions": given.get("PathOptions", {}),
    }
    if "Format" in given:
        found["Format"] = given["Format"]
    return found
