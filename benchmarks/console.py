"""How soon the console shows things, beside the bare AWS API in the same run.

    python -m benchmarks.console [--executions 5000] [--loops 2500] [--repeats 5]

On a local AWS and a console of their own, in headless Chromium, medians:
the list of that many executions (first paint, first rows, all read) beside ListExecutions through
boto3; a history of four events a loop (first paint, graph, all events) beside
GetExecutionHistory; the longest frame while scrolling; and how long after its timestamp an event
reaches a watching page.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from executions.endpoint_key import local_keys

ROLE = "arn:aws:iam::000000000000:role/benchmark"
WATCHED_EVENTS = 60
REST_SECONDS = 2.0  # what the page before had asked for (costs, triggers) is over by then
# Milliseconds between the frames of a page that scrolls through a box, top to bottom, in 2 s.
SCROLL = """box => new Promise(done => {
  const gaps = []; const began = performance.now(); let last = began;
  const step = now => {
    gaps.push(now - last); last = now;
    const share = Math.min(1, (now - began) / 2000);
    box.scrollTop = share * (box.scrollHeight - box.clientHeight);
    share < 1 ? requestAnimationFrame(step) : done(gaps.slice(2));
  };
  requestAnimationFrame(step);
})"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@contextmanager
def running(module: str, *arguments: str) -> Iterator[str]:
    """`python -m module arguments` until the block ends; the URL that it prints."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    try:
        if found is None:
            raise SystemExit(f"{' '.join(command)} did not start.")
        yield found[0].rstrip(",/")
    finally:
        process.terminate()
        process.wait(30)


def one_pass() -> str:
    return json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


def loop(rounds: int, seconds: int) -> str:
    """Count and look, that many times, `seconds` apart: four events a round, or six with waits."""
    again = "Rest" if seconds else "Count"
    states: dict[str, Any] = {
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Look"},
        "Look": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": rounds, "Next": again}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    }
    if seconds:
        states["Rest"] = {"Type": "Wait", "Seconds": seconds, "Next": "Count"}
    return json.dumps({"StartAt": "Count", "States": states})


class Executions:
    """Made on the local AWS, and read back through boto3."""

    def __init__(self, url: str) -> None:
        self.client = boto3.client(
            "stepfunctions",
            endpoint_url=url,
            region_name="us-east-1",
            **local_keys(url),
        )

    def machine(self, name: str, definition: str) -> str:
        made = self.client.create_state_machine(name=name, definition=definition, roleArn=ROLE)
        return str(made["stateMachineArn"])

    def start(self, machine: str) -> str:
        started = self.client.start_execution(stateMachineArn=machine, input='{"n": 0}')
        return str(started["executionArn"])

    def wait(self, arn: str) -> None:
        while self.client.describe_execution(executionArn=arn)["status"] == "RUNNING":
            time.sleep(0.05)

    def read(self, verb: str, member: str, **given: Any) -> int:
        """How many entries all pages of a thousand have."""
        pages = self.client.get_paginator(verb).paginate(
            **given, PaginationConfig={"PageSize": 1000}
        )
        return sum(len(page[member]) for page in pages)


def median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


def measure_api(call: Callable[[], Any], repeats: int) -> float:
    """Milliseconds of the bare call."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        found.append((time.perf_counter() - began) * 1000)
    return median(found)


def measure_page(
    browser: Browser, url: str, shown: dict[str, Callable[[Page], None]], repeats: int
) -> dict[str, float]:
    """Milliseconds from navigation until each thing is shown; a new browser context each time."""
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        time.sleep(REST_SECONDS)
        began = time.perf_counter()
        page.goto(url, wait_until="commit")
        for name, wait in shown.items():
            wait(page)
            found.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        found.setdefault("first_paint", []).append(page.evaluate(FIRST_PAINT))
        gaps = page.locator(".scroll").first.evaluate(SCROLL)
        found.setdefault("longest_frame_scrolling", []).append(max(gaps))
        context.close()
    return {name: median(values) for name, values in found.items()}


def pushed(console: str, executions: Executions) -> dict[str, float]:
    """Milliseconds from an event's timestamp to its arrival at a page that watches."""
    arn = executions.start(executions.machine("watched", loop(WATCHED_EVENTS // 6, 1)))
    late: list[float] = []
    with httpx.stream("GET", f"{console}/api/watch", params={"arn": arn}, timeout=60) as stream:
        first = True
        for line in stream.iter_lines():
            if line.startswith("data: ["):
                now = datetime.now().timestamp() * 1000
                if not first:  # what had happened before we asked is not late
                    late += [now - event["timestamp"] for event in json.loads(line[6:])]
                first = False
    return {"median": median(late), "p99": round(sorted(late)[int(len(late) * 0.99)], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=5000)
    parser.add_argument("--loops", type=int, default=2500)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            "localaws",
            "--home",
            str(Path(folder) / "home"),
            "--port",
            "0",
            "--wait-scale",
            "0.3",
            "--policies",
            "off",
        ) as aws,
        running("console", "--endpoint-url", aws, "--port", "0") as console,
        sync_playwright() as playwright,
    ):
        executions = Executions(aws)
        many = executions.machine("many", one_pass())
        arns = [executions.start(many) for _ in range(given.executions)]
        executions.wait(arns[-1])
        long = executions.start(executions.machine("long", loop(given.loops, 0)))
        executions.wait(long)
        events = executions.read("get_execution_history", "events", executionArn=long)

        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        warm = browser.new_page()
        warm.goto(console, wait_until="networkidle")  # Chromium's own start is not ours
        warm.close()
        listed = f"{given.executions:,}"
        result = {
            "executions": given.executions,
            "list_ms": measure_page(
                browser,
                f"{console}/#/machine/{quote(many, safe='')}",
                {
                    "first_rows": lambda page: page.locator(".list-row a").first.wait_for(),
                    "all_read": lambda page: expect(page.locator(".executions")).to_contain_text(
                        listed, timeout=60_000
                    ),
                },
                given.repeats,
            ),
            "list_api_ms": measure_api(
                lambda: executions.read("list_executions", "executions", stateMachineArn=many),
                given.repeats,
            ),
            "events": events,
            "history_ms": measure_page(
                browser,
                f"{console}/#/execution/{quote(long, safe='')}?tab=events",
                {
                    "first_rows": lambda page: page.locator(".row .event-row").first.wait_for(),
                    "all_read": lambda page: expect(page.locator(".events .bar")).to_contain_text(
                        f"{events:,}", timeout=60_000
                    ),
                },
                given.repeats,
            ),
            "history_api_ms": measure_api(
                lambda: executions.read("get_execution_history", "events", executionArn=long),
                given.repeats,
            ),
            "pushed_ms": pushed(console, executions),
        }
        browser.close()
    result["list_to_api"] = round(result["list_ms"]["all_read"] / result["list_api_ms"], 2)
    result["history_to_api"] = round(result["history_ms"]["all_read"] / result["history_api_ms"], 2)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
