"""What is wrong with a recipe, said with the step it is wrong in."""

from __future__ import annotations


class RecipeError(Exception):
    """A step that cannot be run: `str()` names the step, counted from 1, and its operation."""

    def __init__(self, number: int, operation: str, problem: str) -> None:
        super().__init__(f"Step {number} ({operation}): {problem}")
        self.number = number
        self.operation = operation
        self.problem = problem
