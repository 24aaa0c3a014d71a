"""The one way in which a training job says no."""


class TrainingError(Exception):
    """The job cannot go on; the message says what was given, what is accepted, and where."""
