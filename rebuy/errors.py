"""What can go wrong in the product, by kind."""


class RebuyError(Exception):
    """Anything that rebuy refuses or fails at; its text says what to do about it."""


class InputError(RebuyError):
    """A given value, file or folder is wrong: says what was given and what is accepted."""


class DefinitionError(RebuyError):
    """The workflow, a SQL file or the template is wrong: says what, where, and what is known."""
