"""DynamicFrames: importable, refused when used."""

from __future__ import annotations

from awsglue.refusal import Refused

DynamicFrame = Refused("awsglue.dynamicframe.DynamicFrame")
DynamicFrameCollection = Refused("awsglue.dynamicframe.DynamicFrameCollection")
DynamicFrameReader = Refused("awsglue.dynamicframe.DynamicFrameReader")
DynamicFrameWriter = Refused("awsglue.dynamicframe.DynamicFrameWriter")
