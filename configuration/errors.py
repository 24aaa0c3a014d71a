"""What can go wrong in the product, by kind."""


class RebuyError(Exception):
    """Anything that rebuy refuses or fails at; its text says what to do about it."""


class InputError(RebuyError):
    """A given value, file or folder is wrong: says what was given and what is accepted."""


class NoRegionError(InputError):
    """Neither settings nor profile have one: without an endpoint, AWS itself is meant."""


class DeploymentError(RebuyError):
    """The stack is missing or could not be brought to the wanted state: says which part and why."""


class RunError(RebuyError):
    """An execution did not end well, or cannot be found: says which state failed and why."""
