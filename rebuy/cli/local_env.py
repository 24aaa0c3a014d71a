"""What any other client needs to use the local AWS: variables of a shell, or a profile."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from configuration.errors import InputError
from localaws.core.home import write_whole
from rebuy.cli import local, proxies
from rebuy.cli.options import DEFAULT_HOME

REGION = "us-east-1"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _quoted(value: str) -> str:
    """For a POSIX shell: in single quotes, of which one ends, is escaped, and begins again."""
    return "'" + value.replace("'", "'\\''") + "'"


FORMATS: dict[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={_quoted(value)}",
    "dotenv": lambda name, value: f"{name}={value}",
    "powershell": lambda name, value: f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'",
}


# The SageMaker SDK asks AWS's own STS for the account in its default bucket's name, reports to AWS
# what is called, and asks for the profiler, which is not here:
# https://sagemaker.readthedocs.io/en/stable/overview.html#configuring-and-using-defaults-with-the-sagemaker-python-sdk
SAGEMAKER_FILE = "sagemaker.yaml"
SAGEMAKER_DEFAULTS = f"""\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: sagemaker-{REGION}-000000000000
  TrainingJob:
    ProfilerConfig:
      DisableProfiler: true
"""


def evaluate(home: Path) -> str:
    """The line that points a shell at a home's local AWS."""
    return f'eval "$(rebuy local env{option(home)})"'


def option(home: Path) -> str:
    """How a command names the home: not at all where it is the usual one."""
    return "" if home == DEFAULT_HOME else f" --home {shlex.quote(str(home))}"


def variables(home: Path) -> dict[str, str]:
    """Endpoint, region, the home's key, and what some clients need to be told to stay here.

    Raises InputError when no local AWS runs there.
    """
    server = local.find(home)
    if server is None:
        raise InputError(f"No local AWS runs on {home}; start it with `rebuy local up`.")
    kept = json.loads((home / "credentials.json").read_text())
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": kept["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": kept["SecretAccessKey"],
        # Some operations of Step Functions have another host on AWS: sync-states.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_sagemaker_defaults(home)),
    }


def _sagemaker_defaults(home: Path) -> Path:
    """The file with what the SageMaker SDK shall take by default."""
    file = home.resolve() / SAGEMAKER_FILE
    write_whole(file, SAGEMAKER_DEFAULTS)
    return file


def lines(home: Path, form: str) -> str:
    """For `eval "$(rebuy local env)"`, a .env file, or PowerShell."""
    write = FORMATS.get(form)
    if write is None:
        raise InputError(f"--format {form!r} is none of {', '.join(FORMATS)}.")
    found = variables(home) | proxies.passed_by(os.environ)
    return "\n".join(write(name, value) for name, value in found.items())


def write_profile(home: Path, name: str) -> list[Path]:
    """Writes the profile to the files that AWS clients read; everything else in them stays.

    Raises InputError for a profile of that name that is not a local AWS's.
    """
    if not re.fullmatch(r"[\w.-]+", name) or name == "default":
        raise InputError(f"{name!r} cannot be the profile's name; take another one, such as rebuy.")
    values = variables(home)
    folder = Path.home() / ".aws"
    config = Path(os.environ.get("AWS_CONFIG_FILE") or folder / "config")
    keys = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials")
    config_body = {"region": REGION, "endpoint_url": values["AWS_ENDPOINT_URL"]}
    keys_body = {
        "aws_access_key_id": values["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": values["AWS_SECRET_ACCESS_KEY"],
    }
    before = _section(config, f"profile {name}")
    endpoint = re.search(r"^endpoint_url\s*=\s*(\S+)", before or "", re.M)
    ours = endpoint is not None and urlsplit(endpoint[1]).hostname in LOOPBACK
    if not ours and (before is not None or _section(keys, name) is not None):
        raise InputError(f"The profile {name!r} is there already and is no local AWS's.")
    _put(config, f"profile {name}", config_body)
    _put(keys, name, keys_body)
    return [config, keys]


def _pattern(section: str) -> str:
    return rf"^\[\s*{re.escape(section)}\s*\][^\n]*\n(?:(?!\[)[^\n]*(?:\n|\Z))*"


def _section(file: Path, section: str) -> str | None:
    text = file.read_text() + "\n" if file.exists() else ""
    found = re.search(_pattern(section), text, re.M)
    return found[0] if found else None


def _put(file: Path, section: str, body: dict[str, str]) -> None:
    text = file.read_text() if file.exists() else ""
    if text and not text.endswith("\n"):
        text += "\n"
    fresh = f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in body.items())
    if re.search(_pattern(section), text, re.M):
        text = re.sub(_pattern(section), lambda _: fresh + "\n", text, count=1, flags=re.M)
    else:
        text += ("\n" if text else "") + fresh
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    beside.replace(file)
