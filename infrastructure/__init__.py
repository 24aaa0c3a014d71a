"""The CloudFormation template, the packages it refers to, and how both get to an account."""
