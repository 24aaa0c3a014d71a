"""What can be wrong with the workflow's own files."""


class DefinitionError(Exception):
    """The workflow, a SQL file or the template is wrong: says what, where, and what is known."""
