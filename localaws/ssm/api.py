"""Parameters of AWS Systems Manager: texts by name, in versions.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

# documents: name -> {"versions": [the latest ones, oldest first; "Labels" is not in old ones]}
KIND = "ssm-parameter"
MOST_VERSIONS = 100
MOST_CHARACTERS = 4096  # of a value in the standard tier
MOST_NAMES = 10
MOST_LABELS = 10  # of a version
MOST_CHARACTERS_OF_LABEL = 100
LABEL = re.compile(r"(?!aws|ssm|[0-9])[\w.-]+", re.ASCII | re.IGNORECASE)
NAME = re.compile(r"/?[\w.-]+(/[\w.-]+)*", re.ASCII)
RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
TYPES = ("String", "StringList", "SecureString")
SHOWN = ("Name", "Type", "Value", "Version", "LastModifiedDate", "ARN", "DataType")
DESCRIBED = ("Name", "ARN", "Type", "LastModifiedDate", "LastModifiedUser", "Description",
             "Version", "Tier", "Policies", "DataType")  # fmt: skip


def service(aws: LocalAws) -> Service:
    built = Service("ssm")
    Parameters(aws).register(built)
    return built


class Parameters:
    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents
        self._clock = aws.clock
        self._arn = f"arn:aws:ssm:{aws.region}:{aws.account}:parameter"

    def register(self, service: Service) -> None:
        service.operation(
            *("PutParameter", "Name", "Value", "Type", "Overwrite", "Description"),
            *("DataType", "Tier"),
        )(self.put)
        service.operation("GetParameter", "Name", "WithDecryption")(self.get)
        service.operation("GetParameters", "Names", "WithDecryption")(self.get_several)
        pages = ("WithDecryption", "MaxResults", "NextToken")
        service.operation("GetParametersByPath", "Path", "Recursive", *pages)(self.by_path)
        service.operation("GetParameterHistory", "Name", *pages)(self.history)
        service.operation("DescribeParameters", "MaxResults", "NextToken")(self.describe)
        service.operation("LabelParameterVersion", "Name", "ParameterVersion", "Labels")(self.label)
        service.operation("DeleteParameter", "Name")(self.delete)
        service.operation("DeleteParameters", "Names")(self.delete_several)

    def put(self, call: Call) -> Json:
        """A new parameter, or with Overwrite its next version."""
        params = call.params
        name, value = params["Name"], params["Value"]
        _check(call)
        with self._documents.transaction():
            known = self._documents.get(KIND, name)
            versions = [] if known is None else known["versions"]
            if versions and not params.get("Overwrite"):
                raise AwsError(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite"
                    " option in the request to true.",
                )
            if len(versions) == MOST_VERSIONS and versions[0].get("Labels"):
                raise AwsError(
                    "ParameterMaxVersionLimitExceeded",
                    f"You attempted to create a new version of {name} by calling the PutParameter"
                    f" API with the overwrite flag. Version {versions[0]['Version']}, the oldest"
                    " version, can't be deleted because it has a label associated with it. Move"
                    " the label to another version of the parameter, and try again.",
                )
            last = versions[-1] if versions else {}
            kind = params.get("Type", last.get("Type"))
            if kind is None:
                raise _invalid("A parameter type is required when you create a parameter.")
            if kind not in TYPES:
                raise AwsError(
                    "UnsupportedParameterType", f"The parameter type {kind} is not supported."
                )
            version = {
                **last,
                "Name": name,
                "Value": value,
                "Type": kind,
                "Version": last.get("Version", 0) + 1,
                "LastModifiedDate": self._clock.now(),
                "LastModifiedUser": call.caller.arn,
                "ARN": f"{self._arn}/{name.removeprefix('/')}",
                "DataType": "text",
                "Tier": "Standard",
                "Policies": [],
                "Labels": [],
            }
            if "Description" in params:
                version["Description"] = params["Description"]
            self._documents.put(KIND, name, {"versions": [*versions, version][-MOST_VERSIONS:]})
        return {"Version": version["Version"], "Tier": "Standard"}

    def get(self, call: Call) -> Json:
        found = self._find(call.params["Name"])
        return {"Parameter": _shown(found, call)}

    def get_several(self, call: Call) -> Json:
        """Those that are there, and the names of those that are not."""
        found: list[Json] = []
        wrong: list[str] = []
        for name in dict.fromkeys(_few(call.params["Names"])):
            try:
                found.append(_shown(self._find(name), call))
            except AwsError:
                wrong.append(name)
        return {"Parameters": found, "InvalidParameters": wrong}

    def by_path(self, call: Call) -> Json:
        path = call.params["Path"]
        if not path.startswith("/"):
            raise _invalid(
                "The parameter doesn't meet the parameter name requirements. The parameter name"
                ' must begin with a forward slash "/".'
            )
        folder = path.rstrip("/") + "/"
        deep = call.params.get("Recursive", False)
        inside = (
            (name, _shown(document["versions"][-1], call))
            for name, document in self._documents.items(KIND)
            if name.startswith(folder) and (deep or "/" not in name.removeprefix(folder))
        )
        return _paged(inside, call, "Parameters", MOST_NAMES)

    def history(self, call: Call) -> Json:
        document = self._documents.get(KIND, self._plain(call.params["Name"]))
        if document is None:
            raise _missing()
        secret = not call.params.get("WithDecryption", False)
        shown = (
            (
                one["Version"],
                {
                    **_described(one),
                    "Value": _value(one, secret=secret),
                    "Labels": one.get("Labels", []),
                },
            )
            for one in document["versions"]
        )
        return _paged(shown, call, "Parameters", 50)

    def describe(self, call: Call) -> Json:
        shown = (
            (name, _described(document["versions"][-1]))
            for name, document in self._documents.items(KIND)
        )
        return _paged(shown, call, "Parameters", 50)

    def label(self, call: Call) -> Json:
        """Names for a version, or for the latest; one that another version has moves from there.

        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html
        """
        name = call.params["Name"].strip(" ")
        if " " in name:
            raise _invalid("Parameter names can't contain spaces.")
        given = _labels(call.params["Labels"])
        valid = [label for label in given if LABEL.fullmatch(label)]
        with self._documents.changing(KIND, name, _missing()) as document:
            versions: list[Json] = document["versions"]
            number = call.params.get("ParameterVersion", versions[-1]["Version"])
            labelled = next((one for one in versions if one["Version"] == number), None)
            if labelled is None:
                raise _no_version(number, name)
            labels = list(dict.fromkeys([*labelled.get("Labels", []), *valid]))
            if len(labels) > MOST_LABELS:
                raise AwsError(
                    "ParameterVersionLabelLimitExceeded",
                    "A parameter version can have a maximum of ten labels.",
                )
            for one in versions:
                one["Labels"] = [label for label in one.get("Labels", []) if label not in valid]
            labelled["Labels"] = labels
        wrong = [label for label in given if label not in valid]
        return {"InvalidLabels": wrong, "ParameterVersion": number}

    def delete(self, call: Call) -> Json:
        if not self._documents.delete(KIND, self._plain(call.params["Name"])):
            raise _missing()
        return {}

    def delete_several(self, call: Call) -> Json:
        names = list(dict.fromkeys(_few(call.params["Names"])))
        deleted = [name for name in names if self._documents.delete(KIND, self._plain(name))]
        wrong = [name for name in names if name not in deleted]
        return {"DeletedParameters": deleted, "InvalidParameters": wrong}

    def _plain(self, name: str) -> str:
        """The name in the store of one that may be given by its ARN."""
        if not name.startswith(f"{self._arn}/"):
            return name
        rest = name.removeprefix(f"{self._arn}/")
        return f"/{rest}" if "/" in rest else rest

    def _find(self, given: str) -> Json:
        """The latest version, or the one whose number or label the name has after a colon."""
        whole = self._plain(given)
        name, colon, selected = whole.partition(":")
        document = self._documents.get(KIND, name)
        if document is None:
            raise _missing()
        versions: list[Json] = document["versions"]
        if not colon:
            return versions[-1]
        found = next(
            (
                one
                for one in versions
                if str(one["Version"]) == selected or selected in one.get("Labels", [])
            ),
            None,
        )
        if found is None:
            raise _no_version(selected, name)
        return {**found, "Selector": f":{selected}"}


def _check(call: Call) -> None:
    """Raises for what AWS refuses of a new value, and for what only this store refuses."""
    name, value = call.params["Name"], call.params["Value"]
    if "/" in name and not name.startswith("/"):
        raise _invalid("Parameter name must be a fully qualified name.")
    if not NAME.fullmatch(name) or RESERVED.match(name):
        raise _invalid(
            'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed'
            " as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be"
            " formed as a mix of letters, numbers and the following 3 symbols .-_"
        )
    if len(value) > MOST_CHARACTERS:
        raise _invalid(
            f"Standard tier parameters support a maximum parameter value of {MOST_CHARACTERS}"
            " characters. To create a larger parameter value, upgrade the parameter to use the"
            " advanced-parameter tier."
        )
    for member, only in (("DataType", "text"), ("Tier", "Standard")):
        given = call.params.get(member, only)
        if given != only:
            raise NotEmulated("ssm", call.operation, f"{member}={given}", f"It has {only}.")


def _shown(parameter: Json, call: Call) -> Json:
    shown = {name: parameter[name] for name in SHOWN}
    shown["Value"] = _value(parameter, secret=not call.params.get("WithDecryption", False))
    if "Selector" in parameter:
        shown["Selector"] = parameter["Selector"]
    return shown


def _described(parameter: Json) -> Json:
    return {name: parameter[name] for name in DESCRIBED if name in parameter}


def _value(parameter: Json, *, secret: bool) -> str:
    """The value; of a SecureString without WithDecryption something that hides it, as AWS's
    ciphertext does."""
    value: str = parameter["Value"]
    if parameter["Type"] != "SecureString" or not secret:
        return value
    salted = f"{parameter['ARN']}:{parameter['Version']}:{value}".encode()
    return base64.b64encode(hashlib.sha512(salted).digest()).decode()


def _few(given: list[str], member: str = "names", most: int = MOST_NAMES) -> list[str]:
    if len(given) > most:
        raise _invalid(
            f"1 validation error detected: Value '[{', '.join(given)}]' at '{member}' failed to"
            f" satisfy constraint: Member must have length less than or equal to {most}"
        )
    return given


def _labels(given: list[str]) -> list[str]:
    """Those of a call, each once: one that is too long fails it, as its model says."""
    long = [label for label in given if len(label) > MOST_CHARACTERS_OF_LABEL]
    if long:
        raise _invalid(
            f"1 validation error detected: Value '[{', '.join(given)}]' at 'labels' failed to"
            " satisfy constraint: Member must satisfy constraint: [Member must have length less"
            f" than or equal to {MOST_CHARACTERS_OF_LABEL}, Member must have length greater than"
            " or equal to 1]"
        )
    return list(dict.fromkeys(_few(given, "labels", MOST_LABELS)))


def _paged(items: Any, call: Call, member: str, most: int) -> Json:
    size = int(call.params.get("MaxResults", most))
    if size > most:
        raise _invalid(
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy"
            f" constraint: Member must have value less than or equal to {most}"
        )
    token = call.params.get("NextToken")
    found = page(items, token, size, invalid=lambda text: AwsError("InvalidNextToken", text))
    return {member: found.items, **found.next()}


def _missing() -> AwsError:
    return AwsError("ParameterNotFound", "")  # AWS's has no text


def _no_version(selected: object, name: str) -> AwsError:
    return AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find version {selected} of {name}."
        " Verify the version and try again.",
    )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
