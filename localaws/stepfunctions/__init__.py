"""AWS Step Functions, Standard workflows: a durable engine with AWS's own rules and names."""
