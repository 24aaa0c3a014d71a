"""Which fields a state may and must have, by its type and query language.

https://states-language.net and https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
"""

from __future__ import annotations

TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
COMMON = {"Type", "Comment", "QueryLanguage"}
FLOW = {"Next", "End"}
PATHS = {"InputPath", "OutputPath"}
RESULT = {"ResultPath", "ResultSelector", "Parameters"}
HANDLING = {"Retry", "Catch"}
JSONATA_OUT = {"Output", "Assign"}
MAP_BOTH = {
    "ItemProcessor",
    "Iterator",
    "ItemReader",
    "ItemSelector",
    "ItemBatcher",
    "ResultWriter",
    "MaxConcurrency",
    "ToleratedFailurePercentage",
    "ToleratedFailureCount",
    "Label",
}
TIMES = {"TimeoutSeconds", "HeartbeatSeconds"}

# What each type takes beside COMMON: in both languages, only in JSONPath, only in JSONata.
FIELDS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "Task": (
        FLOW | HANDLING | TIMES | {"Resource", "Credentials", "Assign"},
        PATHS | RESULT | {"TimeoutSecondsPath", "HeartbeatSecondsPath"},
        {"Arguments", "Output"},
    ),
    "Pass": (FLOW | {"Assign"}, PATHS | {"ResultPath", "Parameters", "Result"}, {"Output"}),
    "Wait": (
        FLOW | {"Assign", "Seconds", "Timestamp"},
        PATHS | {"SecondsPath", "TimestampPath"},
        {"Output"},
    ),
    "Succeed": (set(), PATHS, {"Output"}),
    "Fail": ({"Error", "Cause"}, {"ErrorPath", "CausePath"}, set()),
    "Choice": ({"Choices", "Default", "Assign"}, PATHS, {"Output"}),
    "Parallel": (
        FLOW | HANDLING | {"Branches", "Assign"},
        PATHS | RESULT,
        {"Arguments", "Output"},
    ),
    "Map": (
        FLOW | HANDLING | MAP_BOTH | {"Assign"},
        PATHS
        | RESULT
        | {
            "ItemsPath",
            "MaxConcurrencyPath",
            "ToleratedFailurePercentagePath",
            "ToleratedFailureCountPath",
        },
        {"Items", "Output"},
    ),
}
REQUIRED = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}
JSON_TYPES: dict[str, type] = {
    **dict.fromkeys(("Next", "Default", "Resource", "Comment", "QueryLanguage", "Label"), str),
    **dict.fromkeys(("Choices", "Retry", "Catch", "Branches"), list),
    **dict.fromkeys(("ItemProcessor", "Iterator", "ItemReader", "ItemBatcher"), dict),
    **dict.fromkeys(("ResultWriter", "Assign", "Credentials"), dict),
    "End": bool,
}
MACHINE_FIELDS = {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}
PATH_FIELDS = (
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "ErrorPath",
    "CausePath",
    "MaxConcurrencyPath",
    "ToleratedFailurePercentagePath",
    "ToleratedFailureCountPath",
)
NULLABLE = ("InputPath", "OutputPath", "ResultPath")
CALLS_ALLOWED = {"ErrorPath", "CausePath", "InputPath", "OutputPath", "ItemsPath"}
GROUP_FIELDS = {"Branches", "ItemProcessor", "Iterator"}
TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign", "Credentials")
EXCLUSIVE = (
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("ItemProcessor", "Iterator"),
    ("Next", "End"),
)
