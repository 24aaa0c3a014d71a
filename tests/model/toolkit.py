"""The image's own serving packages, from the registry, in a folder that pytest's cache keeps.

They are not in the project's environment (toolkit-requirements.txt says why), and their source is
taken as it is: building them would need a C compiler for a module that serving does not use.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from localaws.core.tar import tarfile

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "toolkit-requirements.txt"
Json = dict[str, Any]


@pytest.fixture(scope="session")
def toolkit(request: pytest.FixtureRequest) -> Path:
    """The folder to import sagemaker_containers and sagemaker_inference from."""
    name = "sagemaker-toolkit-" + hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    folder = Path(request.config.cache.mkdir("containers")) / name
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = fill(Path(temporary))
            shutil.move(made, folder)
    return folder


def fill(folder: Path) -> Path:
    """Fetches the packages; fails with pip's words when the registry is out of reach."""
    fetched, made = folder / "fetched", folder / "made"
    download = ["-m", "pip", "download", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
    ended = subprocess.run(
        [sys.executable, *download, "-d", str(fetched)], capture_output=True, text=True
    )
    assert ended.returncode == 0, f"The image's packages cannot be fetched:\n{ended.stderr}"
    for archive in fetched.iterdir():
        if archive.suffix == ".whl":
            zipfile.ZipFile(archive).extractall(made)
        else:
            with tarfile.open(archive) as source:
                source.extractall(folder, filter="data")
    for source in folder.glob("sagemaker*/src/*"):
        if source.is_dir() and (source / "__init__.py").exists():
            shutil.move(source, made)
    # The image's Dockerfile: sed -i 's/collections\.Mapping/collections.abc.Mapping/g'
    mapping = made / "sagemaker_containers/_mapping.py"
    text = mapping.read_text().replace("collections.Mapping", "collections.abc.Mapping")
    mapping.write_text(text.replace("\nimport collections\n", "\nimport collections.abc\n"))
    return made


def answers(toolkit: Path, server: str, base: Path, cases: list[Json]) -> list[Json]:
    """What the image's server (`containers` or `inference`) answers to each of the requests, with
    `base`/code/script.py and `base`/model."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(toolkit), str(base / "code")]),
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_PROGRAM": "script.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(base / "code"),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    ended = subprocess.run(
        [sys.executable, str(HERE / "in_the_container.py"), server],
        input=json.dumps(cases),
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    # What the endpoint was asked is told on the same stream, an object a line.
    (answers,) = (line for line in ended.stdout.splitlines() if line.startswith("["))
    told: list[Json] = json.loads(answers)
    return told
