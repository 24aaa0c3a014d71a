"""IAM's policy language: documents are compiled once, requests are evaluated against them.

Pure: it reads no store and knows no service. The rules are those of the IAM User Guide,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html.
"""
