"""What runs leave behind them, made by hand."""

from __future__ import annotations

from contextlib import suppress

from configuration.connection import Connection


def leave_what_runs_leave(connection: Connection, stack_name: str) -> None:
    """A job, a dataset with rules, a model, an endpoint configuration, an alarm, lines in logs."""
    lake = f"{stack_name}-lake-000000000000-us-east-1"
    databrew, sagemaker = connection.client("databrew"), connection.client("sagemaker")
    recipe = f"{stack_name}-clean-orders"
    version = databrew.describe_recipe(Name=recipe)["RecipeVersion"]
    (role,) = [
        role["Arn"]
        for role in connection.client("iam").list_roles()["Roles"]
        if role["RoleName"].startswith(f"{stack_name}-SageMakerRole-")
    ]
    connection.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{stack_name}--demo-errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Dimensions=[{"Name": "EndpointName", "Value": stack_name}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    databrew.create_recipe_job(
        Name=f"{stack_name}--clean-orders-demo",
        DatasetName=f"{stack_name}-raw-orders",
        RecipeReference={"Name": recipe, "RecipeVersion": version},
        RoleArn=role,
        Outputs=[{"Location": {"Bucket": lake, "Key": "x/"}, "Format": "PARQUET"}],
    )
    dataset = f"{stack_name}--profiled-demo"
    databrew.create_dataset(
        Name=dataset,
        Format="PARQUET",
        Input={"S3InputDefinition": {"Bucket": lake, "Key": "x/"}},
    )
    target = f"arn:aws:databrew:{connection.region}:{connection.account}:dataset/{dataset}"
    databrew.create_ruleset(
        Name=f"{stack_name}--profiled-demo",
        TargetArn=target,
        Rules=[
            {
                "Name": "Numbered from 1",
                "CheckExpression": ":place >= :first",
                "SubstitutionMap": {":place": "`add_to_cart_order`", ":first": "1"},
            }
        ],
    )
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    for key in ("models/m.tar.gz", "models/s.tar.gz"):
        connection.client("s3").put_object(Bucket=lake, Key=key, Body=b"")
    script = {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{lake}/models/s.tar.gz",
    }
    container = {
        "Image": image,
        "ModelDataUrl": f"s3://{lake}/models/m.tar.gz",
        "Environment": script,
    }
    sagemaker.create_model(
        ModelName=f"{stack_name}--demo", PrimaryContainer=container, ExecutionRoleArn=role
    )
    variant = {"VariantName": "a", "ModelName": f"{stack_name}--demo"}
    variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{stack_name}--demo", ProductionVariants=[variant]
    )
    logs = connection.client("logs")
    logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{stack_name}")
    for group, stream in (
        ("/aws-glue/crawlers", f"{stack_name}-raw"),
        ("/aws-glue-databrew/jobs", f"{stack_name}--clean-orders-demo"),
        ("/aws/sagemaker/TrainingJobs", f"{stack_name}--demo/algo-1"),
    ):
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
