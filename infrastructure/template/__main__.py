"""Prints the template, for whatever else reads templates."""

import sys

from infrastructure.template import template_bytes

sys.stdout.buffer.write(template_bytes())
