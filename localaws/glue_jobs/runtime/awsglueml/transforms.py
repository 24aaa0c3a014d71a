"""AWS's own trained models are behind these; there is nothing to run them with here."""

from __future__ import annotations

from awsglue.refusal import Refused

FillMissingValues = Refused("awsglueml.transforms.FillMissingValues")
FindIncrementalMatches = Refused("awsglueml.transforms.FindIncrementalMatches")
FindMatches = Refused("awsglueml.transforms.FindMatches")
EntityDetector = Refused("awsglueml.transforms.EntityDetector")
