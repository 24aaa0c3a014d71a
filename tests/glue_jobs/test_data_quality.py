"""Rulesets in DQDL (https://docs.aws.amazon.com/glue/latest/dg/dqdl.html).

What passes, what a null does and the texts are those of the open evaluator
(https://github.com/awslabs/deequ, `com.amazon.deequ.dqdl`).
"""

from __future__ import annotations

from typing import Any

import pytest

MISSED = "Value: {} does not meet the constraint requirement!"
PEOPLE = "id int, name string, age int, mail string, seen string"
ROWS = [
    (1, "ann", 30, "a@x", "2020-01-01"),
    (2, "bob", 40, None, "2020-01-02"),
    (3, "bob", None, "c@y", "2999-01-01"),
]

# rule, whether it holds, why not, a metric
RULES = [
    ("ColumnCount > 0", True, None, {"Dataset.*.ColumnCount": 5.0}),
    ("RowCount = 4", False, MISSED.format("3.0"), {"Dataset.*.RowCount": 3.0}),
    # between is exclusive (awslabs/dqdl, NumberBasedCondition)
    ("RowCount between 2 and 4", True, None, {}),
    ("RowCount between 3 and 4", False, MISSED.format("3.0"), {}),
    ("RowCount not between 3 and 4", True, None, {}),
    ('IsComplete "id"', True, None, {"Column.id.Completeness": 1.0}),
    ('Completeness "mail" > 0.5', True, None, {}),
    ('Completeness "mail" > 0.9', False, MISSED.format(2 / 3), {"Column.mail.Completeness": 2 / 3}),
    ('IsUnique "id"', True, None, {"Column.id.Uniqueness": 1.0}),
    ('Uniqueness "name" > 0.3', True, None, {"Column.name.Uniqueness": 1 / 3}),
    ('IsPrimaryKey "id"', True, None, {}),
    ('UniqueValueRatio "name" = 0.5', True, None, {}),
    ('DistinctValuesCount "name" in [1,2]', True, None, {}),
    ('Mean "age" = 35', True, None, {"Column.age.Mean": 35.0}),
    ('Sum "age" > 70', False, MISSED.format("70.0"), {}),
    ('StandardDeviation "age" = 5', True, None, {}),
    ('ColumnExists "nobody"', False, "Input data does not include column nobody!", {}),
    ('Mean "nobody" > 1', False, "Input data does not include column nobody!", {}),
    ('ColumnLength "name" = 3', True, None, {"Column.name.MaximumLength": 3.0}),
    ('ColumnValues "id" > 0', True, None, {"Column.id.Minimum": 1.0}),
    # a null fails a comparison and passes !=
    ('ColumnValues "age" >= 30', False, MISSED.format("NULL"), {"Column.age.Minimum": 30.0}),
    ('ColumnValues "age" != 5', True, None, {}),
    ('ColumnValues "age" in [30,40,NULL]', True, None, {}),
    ('ColumnValues "age" in [30,40]', False, MISSED.format(2 / 3), {}),
    ('ColumnValues "age" in [30,40] with threshold > 0.6', True, None, {}),
    ('ColumnValues "age" > 20 where "id < 3"', True, None, {}),
    ('ColumnValues "name" matches "[a-z]+"', True, None, {"Column.name.PatternMatch": 1.0}),
    ('ColumnValues "name" matches "[a-z]"', False, MISSED.format("0.0"), {}),
    ('ColumnDataType "seen" = "DATE"', True, None, {}),
    ('ColumnNamesMatchPattern "[a-z]+"', True, None, {}),
    ('CustomSql "select count(*) from primary" = 3', True, None, {}),
    ('ReferentialIntegrity "id" "known.id" = 1.0', True, None, {}),
    ('RowCountMatch "known" = 1.0', True, None, {}),
    ('(RowCount = 3) AND (IsComplete "id")', True, None, {}),
    # without parentheses and binds closer; a column's name may be bare (awslabs/dqdl, the grammar)
    ("Mean age = 35", True, None, {"Column.age.Mean": 35.0}),
    ('IsPrimaryKey id "name"', True, None, {}),
    ('(RowCount = 4) OR (IsComplete "mail")', False,
     f"{MISSED.format('3.0')}\n{MISSED.format(2 / 3)}", {}),
]  # fmt: skip


def test_each_rule_holds_or_says_why_not(context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from awsglue import DynamicFrame
    from awsgluedq.transforms import EvaluateDataQuality

    session = context.spark_session
    frame = DynamicFrame.fromDF(session.createDataFrame(ROWS, PEOPLE).coalesce(1), context, "p")
    known = DynamicFrame.fromDF(session.createDataFrame(ROWS, PEOPLE).coalesce(1), context, "k")
    ruleset = "# people\nRules = [\n" + ",\n".join(rule for rule, *_ in RULES) + "\n]"
    outcomes = EvaluateDataQuality.apply(
        frame=frame,
        ruleset=ruleset,
        publishing_options={"dataQualityEvaluationContext": "people"},
        additional_data_sources={"known": known},
    )

    found = [row.asDict() for row in outcomes.toDF().collect()]
    assert [row["Rule"] for row in found] == [rule for rule, *_ in RULES]
    for row, (rule, holds, reason, metrics) in zip(found, RULES, strict=True):
        assert (row["Outcome"], row["FailureReason"]) == (
            "Passed" if holds else "Failed",
            reason,
        ), rule
        assert {k: pytest.approx(v) for k, v in metrics.items()}.items() <= (
            row["EvaluatedMetrics"].items()
        ), rule
    passed = sum(holds for _, holds, *_ in RULES)
    assert capsys.readouterr().out == (
        f"EvaluateDataQuality people: {passed} rules passed, {len(RULES) - passed} failed\n"
    )


def test_rows_know_the_rules_that_they_meet(context: Any) -> None:
    from awsglue import DynamicFrame
    from awsgluedq.transforms import EvaluateDataQuality

    data = context.spark_session.createDataFrame(ROWS, PEOPLE).coalesce(1)
    found = EvaluateDataQuality().process_rows(
        frame=DynamicFrame.fromDF(data, context, "p"),
        ruleset='Rules = [ RowCount > 1, IsComplete "mail", ColumnValues "id" = 2 where "id > 1" ]',
        additional_options={"observations.scope": "ALL"},
    )

    assert list(found.keys()) == ["originalData", "ruleOutcomes", "rowLevelOutcomes"]
    complete, where = 'IsComplete "mail"', 'ColumnValues "id" = 2 where "id > 1"'
    rows = found["rowLevelOutcomes"].toDF().orderBy("id").collect()
    assert [
        (row.DataQualityRulesPass, row.DataQualityRulesFail, row.DataQualityRulesSkip)
        for row in rows
    ] == [
        ([complete], [], ["RowCount > 1", where]),
        ([where], [complete], ["RowCount > 1"]),
        ([complete], [where], ["RowCount > 1"]),
    ]
    assert [row.DataQualityEvaluationResult for row in rows] == ["Passed", "Failed", "Failed"]


def test_rules_join_as_the_grammar_says(context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """awslabs/dqdl, DataQualityDefinitionLanguage.g4. Analyzers gather statistics, and are no
    rules (https://docs.aws.amazon.com/glue/latest/dg/dqdl.html#dqdl-analyzers)."""
    from awsglue import DynamicFrame
    from awsgluedq.transforms import EvaluateDataQuality

    data = context.spark_session.createDataFrame(ROWS, PEOPLE).coalesce(1)
    found = EvaluateDataQuality.apply(
        frame=DynamicFrame.fromDF(data, context, "p"),
        ruleset="""
            Rules = [
                RowCount = 3 or IsComplete mail and RowCount = 4,
                (RowCount = 3 or IsComplete mail) and RowCount = 4,
                Uniqueness of "id" and "name" = 1.0 and RowCount = 3
            ]
            Analyzers = [ RowCount, Completeness "mail" ]
        """,
    )
    assert [row.Outcome for row in found.toDF().collect()] == ["Passed", "Failed", "Passed"]
    assert 'no statistics here: RowCount, Completeness "mail"' in capsys.readouterr().err


WRONG = [
    ("Rules = [ RowCont > 1 ]", "Rule Type: RowCont is not valid"),
    ('Rules = [ Mean "a" "b" > 1 ]', "Unexpected number of parameters: Mean"),
    ("Rules = [ RowCount > 1 with threshold > 0.5 ]",
     "Threshold condition not supported for rule type: RowCount"),
    ('Rules = [ ColumnCount > 1 where "a" ]',
     "Where clause is not supported for rule type: ColumnCount"),
    ("x = 1", "No rules or analyzers provided."),
    ("Rules = [ RowCount > ", "found 'the end' where 'more' belongs"),
]  # fmt: skip


def test_a_wrong_ruleset_is_refused_in_awss_words(context: Any) -> None:
    from awsglue import DynamicFrame
    from awsglue.refusal import NotEmulated
    from awsgluedq.transforms import EvaluateDataQuality

    frame = DynamicFrame.fromDF(context.spark_session.range(1), context, "n")
    for ruleset, message in WRONG:
        with pytest.raises(Exception, match="Parsing Error") as error:
            EvaluateDataQuality.apply(frame=frame, ruleset=ruleset)
        assert message in str(error.value), ruleset
    for ruleset, name in (
        ('Rules = [ DetectAnomalies "RowCount" ]', "the rule DetectAnomalies of DQDL"),
        ("Rules = [ RowCount > avg(last(3)) ]", "avg in a condition of DQDL"),
    ):
        with pytest.raises(NotEmulated, match=name):
            EvaluateDataQuality.apply(frame=frame, ruleset=ruleset)
