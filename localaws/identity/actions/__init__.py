"""Which actions, on which resources, an operation of the AWS API is authorised as."""
