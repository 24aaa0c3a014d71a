"""Stage 2, Crawl raw data: the catalog has the tables of the files that are there now.

Step Functions has no `.sync` for crawlers, so the states ask and wait. What counts is a crawl that
began after this execution did: an older result, or a crawl that was already running, may have
missed the files that started us.
"""

from __future__ import annotations

from tasks.states import State, failure, sdk, task

POLL_SECONDS = 15


def crawl_raw_data(then: State, on_failure: State) -> State:
    """The first state; goes on to `then` when a crawl of this run succeeded, else to
    `on_failure` with the reason at `$.failure`."""
    start = task(
        "Start crawler",
        "aws-sdk:glue:startCrawler",
        parameters={"Name": "${CrawlerName}"},
        result_selector={"requested_at.$": "$$.State.EnteredTime"},
        result_path="$.crawl",
        timeout_seconds=60,
    )
    wait = sdk.Wait("Wait for crawler", seconds=POLL_SECONDS)
    look = task(
        "Look at crawler",
        "aws-sdk:glue:getCrawler",
        parameters={"Name": "${CrawlerName}"},
        # LastCrawl is absent before the first crawl: selecting below it could fail for good.
        result_selector={"Crawler.$": "$.Crawler"},
        result_path="$.crawl",
        timeout_seconds=60,
    )
    settle = sdk.Wait("Let files settle", seconds_path="$.run.options.settle_seconds")
    crawl_failed = failure(
        "Crawl failed", "CrawlFailed", "States.JsonToString($.crawl.Crawler.LastCrawl)"
    )
    too_late = failure(
        "Crawl took too long",
        "CrawlTimedOut",
        "States.Format('The crawler was still {} at {}.', $.crawl.Crawler.State, "
        "$.run.crawl_deadline)",
    )
    finished = sdk.Choice("Crawler finished?")

    # One that is running already is waited for, then ours is started.
    start.add_catch(
        sdk.Catch(
            error_equals=["Glue.CrawlerRunningException"], next_step=wait, result_path="$.crawl"
        )
    )
    start.next(wait)
    wait.next(look)
    look.next(finished)
    last = "$.crawl.Crawler.LastCrawl"
    rule = sdk.ChoiceRule
    ready = rule.StringEquals("$.crawl.Crawler.State", "READY")
    ours = rule.And(
        [
            ready,
            rule.IsPresent(f"{last}.StartTime", True),
            rule.TimestampGreaterThanEqualsPath(f"{last}.StartTime", "$.run.crawl_not_before"),
        ]
    )
    finished.add_choice(rule.And([ours, rule.StringEquals(f"{last}.Status", "SUCCEEDED")]), settle)
    finished.add_choice(ours, crawl_failed)
    finished.add_choice(
        rule.TimestampGreaterThanPath("$$.State.EnteredTime", "$.run.crawl_deadline"), too_late
    )
    finished.add_choice(rule.Not(ready), wait)
    finished.default_choice(start)
    settle.next(then)
    crawl_failed.next(on_failure)
    too_late.next(on_failure)
    return start
