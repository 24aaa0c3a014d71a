"""CloudFormation: templates in, resources made through the same API that anyone calls."""
