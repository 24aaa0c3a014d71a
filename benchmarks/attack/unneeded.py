"""Statements (role, first action) without which everything here goes well, and why they are there.

The attack fails for a statement that nothing asked for and that is not here, and for one that is
here and was asked for.
"""

from __future__ import annotations

# docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSGlueServiceRole.html and
# .../AwsGlueDataBrewServiceRole.html
WORKERS = "what AWS's own policies give these jobs' workers, and the local ones do not ask"
# docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
DELIVERY = "what the guide to a workflow's log has; the log's delivery writes as itself here"
# The account's first target asks for it, which is an earlier run's.
FIRST_TARGET = "asked for once in an account, by the run before"
# A canary's policy and the scaling's both have it: either may be there without the other.
TWICE = "the same statement stands in two policies, and one of them is enough"

UNNEEDED = {
    ("CrawlerRole", "s3:GetBucketLocation"): WORKERS,
    ("DataBrewRole", "s3:GetBucketLocation"): WORKERS,
    ("JoinFeaturesRole", "s3:GetBucketLocation"): WORKERS,
    ("PutModelLiveRole", "cloudwatch:DescribeAlarms"): TWICE,
    ("PutModelLiveRole", "iam:CreateServiceLinkedRole"): FIRST_TARGET,
    ("RollBackRole", "iam:CreateServiceLinkedRole"): FIRST_TARGET,
    ("StateMachineRole", "logs:CreateLogStream"): DELIVERY,
}
