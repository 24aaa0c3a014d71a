"""What is uploaded beside the template: code and definition, named by the hash of their content.

Packages are deterministic (sorted members, no times, no owners), so the same commit gives the
same keys, and an upload that is already there is known by its name.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from configuration.mapping import Mapping
from configuration.mapping.compiled import compiled
from infrastructure import template
from infrastructure.template import jobs
from tasks import check_statements
from workflows import purchase_prediction
from workflows.protection import Protection

ROOT = Path(__file__).resolve().parent.parent
# The files of inference/ that the Lambda needs, and those that the endpoint needs.
API_FILES = (
    "__init__.py",
    "api.py",
    "baskets.py",
    "endpoint.py",
    "features.py",
    "openapi.json",
    "problems.py",
    "requests.py",
)
# Those of training/ that say what a run's input may hold.
INPUT_FILES = ("__init__.py", "errors.py", "hyperparameters.py")
ENDPOINT_FILES = ("asked.py", "booster.py", "customers.py", "features.py", "serve.py")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True)
class Package:
    """One object of the code bucket. `parameter` is the template parameter that takes its key;
    `folder` is that of the release which may be given another content, else its hash names it."""

    parameter: str
    name: str
    content: bytes
    folder: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def key(self) -> str:
        return f"{self.folder or self.sha256[:16]}/{self.name}"


def build(mapping: Mapping | None = None, protection: Protection | None = None) -> list[Package]:
    """Every package of this checkout; without a mapping the files are Instacart's."""
    definition = purchase_prediction.definition_bytes(protection)
    return [
        Package("DefinitionKey", "purchase_prediction.asl.json", definition),
        Package("FunctionsKey", "functions.zip", _zip(functions(definition, mapping))),
        Package("ApiKey", "api.zip", _zip(_tree("inference", API_FILES))),
        Package("TrainingCodeKey", "training.tar.gz", _tar(_flat("training"))),
        Package(
            "InferenceCodeKey",
            "inference.tar.gz",
            _tar({name: (ROOT / "inference" / name).read_bytes() for name in ENDPOINT_FILES}),
        ),
        Package(
            "JoinFeaturesKey",
            "join_features.py",
            (ROOT / "tasks/glue_jobs/join_features.py").read_bytes(),
        ),
        Package(
            "ReadDatabaseKey",
            "read_database.py",
            (ROOT / "tasks/glue_jobs/read_database.py").read_bytes(),
        ),
    ]


def of_template() -> Package:
    """The stack's template, which no parameter of its own names."""
    return Package("", "template.json", template.template_bytes())


def functions(definition: bytes, mapping: Mapping | None) -> dict[str, bytes]:
    """The pipeline's functions with the checks, as read and as run, the mapping as SQL, and the
    build's hashes."""
    files = {"tasks/__init__.py": (ROOT / "tasks/__init__.py").read_bytes()}
    files |= _tree("tasks/functions", None)
    files |= _tree("executions", None)
    files |= _tree("training", INPUT_FILES)
    files |= _tree("sql/checks", None)
    files |= _tree("databrew_rulesets", None)
    files["sql/check_statements.json"] = json.dumps(
        check_statements.of_project(), indent=1
    ).encode()
    made = compiled(mapping)
    files["mapping.json"] = json.dumps(made, indent=1).encode()
    hashes = build_hashes(definition) | {
        "mapping_sha256": made["sha256"],
        "mapping_sql_sha256": hashlib.sha256(files["mapping.json"]).hexdigest(),
    }
    files["build.json"] = json.dumps(hashes, indent=1, sort_keys=True).encode()
    return files


def build_hashes(definition: bytes) -> dict[str, object]:
    """SHA-256 of everything that decides what a run computes, by its path in the repository."""
    sources = [
        *sorted((ROOT / "sql").rglob("*.sql")),
        ROOT / "tasks/check_statements.py",
        *sorted((ROOT / "databrew_recipes").glob("*.json")),
        *sorted((ROOT / "databrew_rulesets").glob("*.json")),
        *sorted((ROOT / "tasks/glue_jobs").glob("*.py")),
        *sorted((ROOT / "tasks/functions").glob("*.py")),
        *sorted((ROOT / "executions").glob("*.py")),
        *sorted((ROOT / "training").glob("*.py")),
        *sorted((ROOT / "inference").glob("*.py")),
    ]
    return {
        "definition_sha256": purchase_prediction.definition_sha256(definition),
        "files": {
            file.relative_to(ROOT).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sources
        },
        "recipes_canonical": {
            file.stem: jobs.recipe_sha256(file.stem)
            for file in sorted((ROOT / "databrew_recipes").glob("*.json"))
        },
    }


def _tree(folder: str, names: tuple[str, ...] | None) -> dict[str, bytes]:
    """Files of a folder under their path in the repository."""
    return {
        file.relative_to(ROOT).as_posix(): file.read_bytes()
        for file in sorted((ROOT / folder).iterdir())
        if file.is_file() and (names is None or file.name in names)
    }


def _flat(folder: str) -> dict[str, bytes]:
    """The modules of a folder at the top level, as SageMaker's script mode wants them."""
    return {
        file.name: file.read_bytes()
        for file in sorted((ROOT / folder).glob("*.py"))
        if file.name != "__init__.py"
    }


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name], zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return buffer.getvalue()
