"""Amazon ECR: repositories, without the registry that images are pushed to."""
