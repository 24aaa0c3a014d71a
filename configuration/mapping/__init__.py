"""A shop's own files as the five tables of the chain: read (`model`), as SQL (`sql`), proposed
(`propose`). Imports nothing of the command line; docs/mapping.md describes the file."""

from __future__ import annotations

from configuration.mapping.model import Mapping, load, parse

__all__ = ["Mapping", "load", "parse"]
