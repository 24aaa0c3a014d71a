"""The price table, with its date and pages, and the charges that several estimates share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PRICES: Json = json.loads(Path(__file__).with_suffix(".json").read_text())
HOURS_A_MONTH = 730


@dataclass(frozen=True)
class Line:
    """One charge. `quantity` says what was counted, in words."""

    service: str
    quantity: str
    dollars: float


def dated() -> Json:
    """What the figures rest on: region, currency, date, note and the pages."""
    return {name: PRICES[name] for name in ("region", "currency", "date", "note")} | {
        "sources": sorted({p["source"] for p in PRICES.values() if isinstance(p, dict)})
    }


def crawl(seconds: float = 0) -> Line:
    """One crawl. Its DPU hours are in no answer: counted are the two DPUs of AWS's own example,
    for the ten minutes that are billed at least."""
    price = PRICES["crawler"]
    billed = max(seconds, price["minimum_seconds"])
    dollars = billed / 3600 * price["dpus"] * price["dpu_hour"]
    least = "at least " if seconds <= price["minimum_seconds"] else ""
    return Line("Glue crawler", f"{least}{billed / 60:,.0f} min x {price['dpus']} DPU", dollars)
