"""AWS Lambda as localaws has it: each function's handler runs in worker processes of its own."""
