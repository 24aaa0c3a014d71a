"""Where everything that the workflow needs is to be had."""

from __future__ import annotations

# In botocore's data DataBrew is in nineteen regions; in two of them (ap-east-1, eu-south-1) AWS SDK
# for pandas publishes its layer from another account, which a test holds against
# https://aws-sdk-pandas.readthedocs.io/en/stable/layers.html (3.16.1). The SageMaker SDK's list
# has the XGBoost image's account for each.
REGIONS = (
    *("af-south-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1"),
    *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
OTHER_LAYER_ACCOUNT = ("ap-east-1", "eu-south-1")
