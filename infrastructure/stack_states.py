"""What a stack's status means for a deployment, in words, and the way on from it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """What `rebuy deploy` does with a stack in a state."""

    CREATE = "create"  # nothing is there yet
    UPDATE = "update"
    FOLLOW = "follow"  # somebody's operation is at work: wait for its end, then look again
    REMOVE = "remove"  # it never was there as a whole: take its rest away, then create it
    CONTINUE = "continue"  # its rollback hangs: have CloudFormation try that again


@dataclass(frozen=True)
class State:
    way: Way
    words: str


_AT_WORK = "an operation that began elsewhere is at work on it"
_REST = "it could not be created, and its rest could not be taken away"

STATES = {
    "REVIEW_IN_PROGRESS": State(Way.CREATE, "a change set was made for it, and never executed"),
    "DELETE_COMPLETE": State(Way.CREATE, "it was deleted"),
    "CREATE_COMPLETE": State(Way.UPDATE, "it is as it was created"),
    "UPDATE_COMPLETE": State(Way.UPDATE, "it is as it was last updated"),
    "UPDATE_FAILED": State(Way.UPDATE, "its last update failed and was not rolled back"),
    "UPDATE_ROLLBACK_COMPLETE": State(Way.UPDATE, "its last update failed and was rolled back"),
    "IMPORT_COMPLETE": State(Way.UPDATE, "it has adopted what an earlier stack kept"),
    "IMPORT_ROLLBACK_COMPLETE": State(Way.UPDATE, "adopting what an earlier stack kept failed"),
    "CREATE_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "UPDATE_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "UPDATE_ROLLBACK_IN_PROGRESS": State(Way.FOLLOW, "its last update is being rolled back"),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "ROLLBACK_IN_PROGRESS": State(Way.FOLLOW, "its creation failed and is being rolled back"),
    "DELETE_IN_PROGRESS": State(Way.FOLLOW, "it is being deleted"),
    "IMPORT_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "IMPORT_ROLLBACK_IN_PROGRESS": State(Way.FOLLOW, _AT_WORK),
    "CREATE_FAILED": State(Way.REMOVE, "it could not be created, and was not rolled back"),
    "ROLLBACK_COMPLETE": State(Way.REMOVE, "it could not be created"),
    "ROLLBACK_FAILED": State(Way.REMOVE, _REST),
    "DELETE_FAILED": State(Way.REMOVE, "it was deleted, but for what could not be"),
    "UPDATE_ROLLBACK_FAILED": State(Way.CONTINUE, "an update failed, and so did its rollback"),
    "IMPORT_ROLLBACK_FAILED": State(Way.REMOVE, "adopting what an earlier stack kept failed"),
}
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
# What a person can do where the next `rebuy deploy` cannot.
WAYS_OUT = {
    "UPDATE_ROLLBACK_FAILED": "Mend what stands in the way and run `rebuy deploy` again: it goes"
    " on with the rollback. Or give a resource up: aws cloudformation continue-update-rollback"
    " --stack-name {name} --resources-to-skip <logical id>.",
    "DELETE_FAILED": "Take away what stands in the way (a bucket that holds something, for"
    " example), then run the same command again.",
    "ROLLBACK_COMPLETE": "Mend the cause; the next `rebuy deploy` takes the rest away first.",
    "ROLLBACK_FAILED": "Mend the cause; the next `rebuy deploy` takes the rest away first.",
    "UPDATE_ROLLBACK_COMPLETE": "Everything is as it was before. Mend the cause and deploy again.",
}


def way_out(status: str, name: str) -> str:
    """A sentence for whoever has a stack in this status; "" where nothing is to be done."""
    return WAYS_OUT.get(status, "").format(name=name)
