"""The model as it is kept: `xgboost-model` (UBJSON) and `model.json`, packed as model.tar.gz."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xgboost as xgb

from training.errors import TrainingError

MODEL_FILE = "xgboost-model"
DESCRIPTION_FILE = "model.json"
ARCHIVE = "model.tar.gz"
NO_CHAMPION = "none.json"
ASKED = "asked.json"
MAX_MEMBER_BYTES = {MODEL_FILE: 512 * 1024**2, DESCRIPTION_FILE: 1024**2}


@dataclass(frozen=True)
class Model:
    """A booster, the features it takes in their order, and where yes begins (probability)."""

    booster: Any
    features: tuple[str, ...]
    threshold: float
    run: str
    profile: dict[str, Any] | None = None  # training.drift; none in models from before there was
    asked: dict[str, Any] | None = None  # tasks/functions/asked_lines.py, of a live model


def booster_from(raw: bytes, nthread: int) -> Any:
    """The booster saved as `raw` (UBJSON). Raises TrainingError when XGBoost cannot read it."""
    try:
        booster = xgb.Booster({"nthread": nthread})
        booster.load_model(bytearray(raw))
    except xgb.core.XGBoostError as error:
        reason = str(error).strip().splitlines()[-1]
        raise TrainingError(
            f"{MODEL_FILE} cannot be read by XGBoost {xgb.__version__}: {reason}"
        ) from error
    return booster


def load_champion(folder: str | None, nthread: int) -> Model | None:
    """The live model from the champion channel; None when it says (none.json) there is none.

    Only two members are read from the archive, and nothing is unpacked: names, links and sizes
    in it cannot reach the file system. Raises TrainingError for a missing channel, for an
    archive without the two files, and for contents that are not a model.
    """
    if not folder:
        raise TrainingError(
            "Channel 'champion' is missing: SM_CHANNEL_CHAMPION is not set. It holds the live "
            f"model's {ARCHIVE}, or {NO_CHAMPION} when there is none."
        )
    archives = sorted(Path(folder).rglob(ARCHIVE))
    none = sorted(Path(folder).rglob(NO_CHAMPION))
    if len(archives) + len(none) != 1:
        raise TrainingError(
            f"Channel 'champion' holds {len(archives)} {ARCHIVE} and {len(none)} {NO_CHAMPION}; "
            "exactly one of them is needed."
        )
    if none:
        return None
    members = _read_members(archives[0])
    champion = _model(members[MODEL_FILE], members[DESCRIPTION_FILE], nthread)
    asked = archives[0].with_name(ASKED)
    return replace(champion, asked=json.loads(asked.read_bytes()) if asked.exists() else None)


def _read_members(archive: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    try:
        with gzip.open(archive) as data, tarfile.open(fileobj=data, mode="r|") as tar:
            for member in tar:
                name = member.name[2:] if member.name.startswith("./") else member.name
                limit = MAX_MEMBER_BYTES.get(name)
                if limit is None:
                    continue
                if not member.isreg() or member.size > limit:
                    raise TrainingError(
                        f"The champion's {ARCHIVE}: {name} is not a regular file of at most "
                        f"{limit} bytes."
                    )
                content = tar.extractfile(member)
                assert content is not None  # a regular file always has content
                members[name] = content.read()
            while data.read(1024**2):  # gzip's checksum of all of it stands at its end
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise TrainingError(f"The champion's {ARCHIVE} cannot be read: {error}") from error
    missing = [name for name in MAX_MEMBER_BYTES if name not in members]
    if missing:
        raise TrainingError(f"The champion's {ARCHIVE} has no {', '.join(missing)}.")
    return members


def _model(raw: bytes, description: bytes, nthread: int) -> Model:
    try:
        told = json.loads(description)
        features = tuple(str(name) for name in told["features"])
        threshold, run = float(told["threshold"]), str(told["run"])
        kept = told.get("model_sha256")  # none in models from before there was
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"The champion's {DESCRIPTION_FILE} needs features, threshold and run: {error!r}"
        ) from error
    if kept is not None and hashlib.sha256(raw).hexdigest() != kept:
        raise TrainingError(
            f"The champion's {MODEL_FILE} is not the one that {run} made: its SHA-256 is another."
        )
    booster = booster_from(raw, nthread)
    if booster.num_features() != len(features):
        raise TrainingError(
            f"The champion's {DESCRIPTION_FILE} names {len(features)} features, its "
            f"{MODEL_FILE} takes {booster.num_features()}."
        )
    return Model(booster, features, threshold, run, told.get("profile"))
