"""What rebuy needs to be told: read once at the edge, then passed down."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rebuy.errors import InputError

FILE = Path("rebuy.toml")


class Settings(BaseModel):
    """One deployment and how to reach it. Flags win over the environment, that over the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack_name: str = Field("rebuy", pattern=r"^[a-z][a-z0-9-]{0,24}$")
    database_name: str = Field("rebuy", pattern=r"^[a-z0-9_]{1,100}$")
    endpoint_url: str | None = None  # None: AWS itself
    profile: str | None = None
    region: str | None = None  # None: the profile's own
    upload_trigger: str = Field("ENABLED", pattern="^(ENABLED|DISABLED)$")
    settle_seconds: int = Field(60, ge=1, le=3600)  # quiet so long, an upload is complete
    schedule_state: str = Field("ENABLED", pattern="^(ENABLED|DISABLED)$")
    schedule_expression: str = "cron(0 8 * * ? *)"
    schedule_timezone: str = "UTC"
    # Where failed runs are told, by e-mail; empty: nowhere but the topic <stack>-notifications.
    notification_email: str = Field("", pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$")
    training_instance_type: str = "ml.m5.xlarge"
    endpoint_instance_type: str = "ml.m5.large"


# Environment variables as the AWS tools read them.
ENVIRONMENT = {
    "endpoint_url": ("AWS_ENDPOINT_URL",),
    "profile": ("AWS_PROFILE",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}


def read(file: Path = FILE, **flags: Any) -> Settings:
    """The settings of `rebuy.toml` (if there), the environment and the flags that are not None.

    Raises InputError naming each wrong value and where it came from.
    """
    given: dict[str, Any] = {}
    if file.exists():
        try:
            given = tomllib.loads(file.read_text())
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{file} is no TOML: {error}") from error
    for name, variables in ENVIRONMENT.items():
        value = next((os.environ[v] for v in variables if os.environ.get(v)), None)
        if value is not None:
            given[name] = value
    given |= {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} is {fault['input']!r}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InputError(f"Settings ({file}, environment, flags): {wrong}") from error
