"""EvaluateDataQuality: a ruleset over a frame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-EvaluateDataQuality.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from awsglue.refusal import only
from awsglue.transforms import GlueTransform
from pyspark.sql import functions as F  # noqa: N812

from awsgluedq.dqdl import Composite, Rule, parse
from awsgluedq.rules import Data, Outcome, evaluate

_PUBLISHING = ("dataQualityEvaluationContext", "enableDataQualityCloudWatchMetrics",
               "enableDataQualityResultsPublishing", "resultsS3Prefix")  # fmt: skip
# What they change is where AWS keeps results and how it caches.
_ADDITIONAL = ("performanceTuning.caching", "observations.scope",
               "dataQualityResultsPublishing.strategy")  # fmt: skip
_OUTCOMES = ("Rule string, Outcome string, FailureReason string,"
             " EvaluatedMetrics map<string,double>, EvaluatedRule string")  # fmt: skip
_NAMESPACE = "Glue Data Quality"


class EvaluateDataQuality(GlueTransform):
    """`apply` gives a record for each rule; `process_rows` also says of each row what it meets."""

    def __call__(
        self,
        frame: DynamicFrame,
        ruleset: str,
        publishing_options: Mapping[str, Any] | None = None,
        additional_data_sources: Mapping[str, DynamicFrame] | None = None,
    ) -> DynamicFrame:
        found = _outcomes(frame, ruleset, additional_data_sources)
        _publish(frame, found, publishing_options or {})
        return _rule_outcomes(frame, found)

    def process_rows(
        self,
        frame: DynamicFrame,
        ruleset: str,
        publishing_options: Mapping[str, Any] | None = None,
        additional_options: Mapping[str, Any] | None = None,
        additional_data_sources: Mapping[str, DynamicFrame] | None = None,
    ) -> DynamicFrameCollection:
        only("additional_options of EvaluateDataQuality", additional_options or {}, _ADDITIONAL)
        found = _outcomes(frame, ruleset, additional_data_sources)
        _publish(frame, found, publishing_options or {})
        return DynamicFrameCollection(
            {
                "originalData": frame,
                "ruleOutcomes": _rule_outcomes(frame, found),
                "rowLevelOutcomes": _row_outcomes(frame, found),
            },
            frame.glue_ctx,
        )


Found = Sequence[tuple[Rule | Composite, Outcome]]


def _outcomes(
    frame: DynamicFrame, ruleset: str, others: Mapping[str, DynamicFrame] | None
) -> Found:
    rules = parse(ruleset)
    data = Data(frame.toDF(), {name: each.toDF() for name, each in (others or {}).items()})
    return [(rule, _evaluated(rule, data)) for rule in rules]


def _evaluated(rule: Rule | Composite, data: Data) -> Outcome:
    if isinstance(rule, Rule):
        return evaluate(rule, data)
    parts = [_evaluated(part, data) for part in rule.rules]
    passed = (all if rule.sign == "and" else any)(part.passed for part in parts)
    reasons = [part.reason for part in parts if part.reason and not part.passed]
    metrics = {name: value for part in parts for name, value in part.metrics.items()}
    rows = None
    if all(part.rows is not None for part in parts):
        rows = parts[0].rows
        for part in parts[1:]:
            rows = (rows & part.rows) if rule.sign == "and" else (rows | part.rows)
    return Outcome(passed, None if passed else "\n".join(reasons), metrics, rows)


def _rule_outcomes(frame: DynamicFrame, found: Found) -> DynamicFrame:
    rows = [
        (
            rule.text,
            "Passed" if outcome.passed else "Failed",
            outcome.reason,
            dict(outcome.metrics),
            rule.text,
        )
        for rule, outcome in found
    ]
    made = frame.glue_ctx.spark_session.createDataFrame(rows, _OUTCOMES)
    return DynamicFrame.fromDF(made, frame.glue_ctx, "ruleOutcomes")


def _row_outcomes(frame: DynamicFrame, found: Found) -> DynamicFrame:
    """Each row with the rules that it meets, those that it does not, and those that are not about
    it: about the whole, or about other rows (`where`)."""
    names: dict[str, list[Any]] = {"Pass": [], "Fail": [], "Skip": []}
    for rule, outcome in found:
        text = F.lit(rule.text)
        about = F.lit(outcome.rows is not None)
        if isinstance(rule, Rule) and rule.where is not None:
            about = about & F.coalesce(F.expr(rule.where), F.lit(False))
        true = outcome.rows if outcome.rows is not None else F.lit(False)
        names["Pass"].append(F.when(about & true, text))
        names["Fail"].append(F.when(about & ~true, text))
        names["Skip"].append(F.when(~about, text))
    made = frame.toDF().select(
        "*",
        *(
            F.array_compact(F.array(*texts)).cast("array<string>").alias(f"DataQualityRules{name}")
            for name, texts in names.items()
        ),
    )
    failed = F.size("DataQualityRulesFail") > 0
    made = made.withColumn(
        "DataQualityEvaluationResult", F.when(failed, "Failed").otherwise("Passed")
    )
    return DynamicFrame.fromDF(made, frame.glue_ctx, "rowLevelOutcomes")


def _publish(frame: DynamicFrame, found: Found, options: Mapping[str, Any]) -> None:
    """Says in the log how many rules hold; to S3 and CloudWatch where it is asked for."""
    only("publishing_options of EvaluateDataQuality", options, _PUBLISHING)
    context = options.get("dataQualityEvaluationContext", "default_context")
    passed = sum(outcome.passed for _, outcome in found)
    print(f"EvaluateDataQuality {context}: {passed} rules passed, {len(found) - passed} failed")
    if options.get("resultsS3Prefix"):
        frame.glue_ctx.write_dynamic_frame_from_options(
            _rule_outcomes(frame, found), "s3", {"path": options["resultsS3Prefix"]}, "json"
        )
    if str(options.get("enableDataQualityCloudWatchMetrics", False)).lower() == "true":
        import boto3

        dimensions = [{"Name": "EvaluationContext", "Value": context}]
        boto3.client("cloudwatch").put_metric_data(
            Namespace=_NAMESPACE,
            MetricData=[
                {"MetricName": f"glue.data.quality.rules.{name}", "Value": float(count),
                 "Dimensions": dimensions}
                for name, count in (("passed", passed), ("failed", len(found) - passed))
            ],
        )  # fmt: skip
