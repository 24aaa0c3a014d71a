"""A stack in whatever state becomes one that can be created or updated."""

from __future__ import annotations

from typing import Any

from configuration.errors import DeploymentError
from infrastructure.stack import Say, find_stack, follow, newest_event, wait
from infrastructure.stack_states import STATES, Way, way_out


def settle(cloudformation: Any, name: str, say: Say) -> None:
    """Brings the stack to a state in which it can be created or updated: waits for what is at work,
    takes away what could not be created, goes on with a rollback that hangs.

    Raises DeploymentError with a way out where that does not help.
    """
    tried: set[str] = set()
    while (stack := find_stack(cloudformation, name)) is not None:
        status = str(stack["StackStatus"])
        state = STATES[status]
        if state.way in (Way.CREATE, Way.UPDATE):
            return
        say(f"stack {name} is {status}: {state.words}")
        seen = newest_event(cloudformation, name)
        if status in tried:
            raise DeploymentError(f"Stack {name} stays {status}. {way_out(status, name)}")
        if state.way is Way.REMOVE:
            tried.add(status)
            say("remove the stack that could not be created")
            cloudformation.delete_stack(StackName=name)
            # By its id: the name of a deleted stack names nothing any more.
            wait(cloudformation, stack["StackId"], seen, say)
            continue
        if state.way is Way.CONTINUE:
            tried.add(status)
            cloudformation.continue_update_rollback(StackName=name)
        follow(cloudformation, stack["StackId"], seen, say)
