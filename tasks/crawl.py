"""Stage 2, Crawl raw data: the catalog has the tables of the files that are there now.

Step Functions has no `.sync` for crawlers, so a function starts ours, or looks how far it is, and
is asked again until it has finished. It is one state so that a redrive crawls again.
"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import State, choice, function, sdk


def crawl_raw_data(then: State) -> State:
    """The first state; goes on to `then` when a crawl of this run succeeded and files settled."""
    crawl = function(
        "Crawl raw data",
        "${CrawlRawDataArn}",
        {"run.$": "$.run", "state.$": "$", "execution.$": "$$.Execution"},
        comment=comment(2, "Starts the crawler, or looks how far it is."),
        result_path="$.crawl",
        timeout_seconds=60,
    )
    wait = sdk.Wait(
        "Wait for crawler",
        comment=comment(2, "Gives the crawler time, then the files the option settle_seconds."),
        seconds_path="$.crawl.answer.wait_seconds",
    )
    crawl.next(
        choice(
            "Crawled?",
            comment(2, "On when a crawl that began after the plan succeeded and files settled."),
            [(sdk.ChoiceRule.BooleanEquals("$.crawl.answer.finished", True), then)],
            otherwise=wait,
        )
    )
    wait.next(crawl)
    return crawl
