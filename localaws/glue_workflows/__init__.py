"""Glue triggers and workflows: what starts jobs and crawlers, and after which others."""
