"""API Gateway HTTP APIs: routes to Lambda functions, served below `/_aws/execute-api/<api id>`."""
