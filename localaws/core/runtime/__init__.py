"""What child processes that stand for an AWS runtime (Lambda, SageMaker) may import."""
