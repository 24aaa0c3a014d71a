"""SageMaker Runtime: InvokeEndpoint, handed to the endpoint's server process."""
