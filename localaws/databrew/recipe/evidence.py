"""How well each action is known: by AWS's words, by what DataBrew itself wrote, or by inference.

For every action of the guide, as a table of the support matrix.
"""

from __future__ import annotations

from localaws.databrew.recipe.compiler import OPERATIONS
from localaws.databrew.recipe.steps import SESSION_ONLY, actions

# Outputs of DataBrew's own, published by AWS (aws-solutions/data-connectors-for-aws-clean-rooms).
RECORDED = {
    "CRYPTOGRAPHIC_HASH": "HMAC_SHA256 in place, as base64",
    "DETERMINISTIC_ENCRYPT": (
        "the cell's form; not the nonce, so cells that AWS has sealed cannot be opened"
    ),
    "MASK_DATE": "YEAR, MONTH and DAY of year-month-day; other parts are refused",
    "MASK_RANGE": "start, stop, alphabet and what the console adds; negative places are inferred",
    "REPLACE_WITH_RANDOM_BETWEEN": "whole numbers",
}
INFERRED = {
    "ADVANCED_DATATYPE_FILTER": "how details are spelled; ZipCode and State are refused",
    "ADVANCED_DATATYPE_FLAG": "how details are spelled; ZipCode and State are refused",
    "BUCKETIZATION": "percentage: buckets of as many rows; a bound belongs to the upper bucket",
    "DETERMINISTIC_DECRYPT": "opens what DETERMINISTIC_ENCRYPT of localaws has sealed",
    "EXTRACT_ADVANCED_DATATYPE_DETAILS": "how details are spelled; ZipCode and State are refused",
    "EXTRACT_BETWEEN_POSITIONS": "places count from 0",
    "FILL_WITH_AVERAGE": "whole numbers become doubles",
    "FIND": "gives the matched text",
    "FLAG_OUTLIERS": "sample deviation; 0.6745 in the modified score; linear quartiles",
    "GROUP_BY": "names of functions other than COUNT",
    "JSON_TO_STRUCTS": "without removeSourceColumn: beside it, as `<column>_struct`",
    "MASK_CUSTOM": "a symbol for each character",
    "MASK_DELIMITER": "preserveDelimiters keeps them (the guide contradicts itself)",
    "NUMBER_FORMAT": "halves are rounded away from zero",
    "ONE_HOT_ENCODING": "a missing value is 0 in every column",
    "PIVOT": "names of functions other than SUM and COLLECT_LIST",
    "REMOVE_OUTLIERS": "as FLAG_OUTLIERS; CLEAR gives null",
    "REPLACE_BETWEEN_POSITIONS": "places count from 0",
    "REPLACE_OUTLIERS": "as FLAG_OUTLIERS; statistics over all rows",
    "RESCALE_OUTLIERS_WITH_SKEW": "as FLAG_OUTLIERS",
    "RESCALE_OUTLIERS_WITH_Z_SCORE": "as FLAG_OUTLIERS",
    "RIGHT_FIND": "gives the matched text; places count from the right",
    "SCALE": "SCALE_BETWEEN is refused: its bounds are not documented",
    "SPLIT_COLUMN_BETWEEN_DELIMITER": "delimiters that are included go to the middle",
    "SPLIT_COLUMN_BETWEEN_POSITIONS": "places count from 0",
    "SPLIT_COLUMN_MULTIPLE_DELIMITER": "an included delimiter begins the next part",
    "SPLIT_COLUMN_SINGLE_DELIMITER": "an included delimiter begins the next part",
    "SPLIT_COLUMN_WITH_INTERVALS": "what stands before startPosition is the first part",
    "SUBSTRING": "places count from 0",
    "TOKENIZATION": "a list; contractions, stop words, stems in this order; the word lists",
    "TRANSPOSE": "COLLECT_LIST: the one value of the cell; several are refused",
    "UNNEST_ARRAY": "a row without elements stays",
    "UNNEST_MAP": "`<prefix>_key` and `<prefix>_value`; a row without entries stays",
    "UNNEST_SPECIFIC_KEY": "as EXTRACT_VALUE; seen in one export only",
    "UNNEST_STRUCT": "a period after the prefix",
}
REFUSED = {
    "DECRYPT": "keys of KMS encrypt nothing here; what AWS has sealed opens in AWS only",
    "ENCRYPT": "keys of KMS encrypt nothing here, and AWS could not open what they would seal",
    **dict.fromkeys(SESSION_ONLY, "asks for something in a project's session; it is no step"),
}


def known() -> dict[str, tuple[str, str]]:
    """(documented, recorded, inferred or refused; what exactly) of every action."""
    found = {}
    for name in sorted(actions()):
        for kind, remarks in (
            ("refused", REFUSED),
            ("recorded", RECORDED),
            ("inferred", INFERRED),
        ):
            if name in remarks:
                found[name] = (kind, remarks[name])
                break
        else:
            kind = "documented" if name in OPERATIONS else "refused"
            found[name] = (kind, "")
    return found


def page() -> str:
    """The part of the support matrix, in Markdown."""
    table = known()
    kinds = [kind for kind, _ in table.values()]
    counts = ", ".join(
        f"{kinds.count(kind)} {kind}" for kind in ("documented", "recorded", "inferred", "refused")
    )
    plain = ", ".join(name for name, (kind, _) in table.items() if kind == "documented")
    lines = [
        f"**Recipe actions**: {counts}. *Documented* are those that do what the guide's words and",
        "examples say; *recorded* were compared with files that DataBrew wrote; of the *inferred*",
        "a part is not documented, which the table names.",
        "",
        "| Action | Known | What exactly |",
        "|---|---|---|",
        *(
            f"| {name} | {kind} | {remark} |"
            for name, (kind, remark) in table.items()
            if kind != "documented"
        ),
        "",
        f"<details><summary>{kinds.count('documented')} documented actions</summary>",
        "",
        plain,
        "",
        "</details>",
    ]
    return "\n".join(lines)
