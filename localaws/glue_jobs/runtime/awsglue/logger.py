"""Glue's logger, which scripts get of the context."""

from __future__ import annotations

import logging
from typing import Any


class Logger:
    """What scripts call of Glue's logger."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("glue")
        if not self._logger.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(
                logging.Formatter("%(asctime)s %(levelname)s GlueLogger: %(message)s",
                                  "%y/%m/%d %H:%M:%S")
            )  # fmt: skip
            self._logger.addHandler(handler)
            self._logger.setLevel(logging.INFO)
            self._logger.propagate = False

    def __getattr__(self, name: str) -> Any:
        names = {"warn": "warning", "trace": "debug"}
        return getattr(self._logger, names.get(name, name))
