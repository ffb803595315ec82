"""Jobs: what workers are given to do, and how often they try.

Rules: a job names a run, a proposal, a delivery or a message and carries nothing else, so whoever can write a row of
the queue has no more power than to have something looked at again; the same job (by ``key``) is queued at most once;
jobs with one ``lock`` are worked on one at a time. A job that fails because of its surroundings is tried again, later
each time, and at most ``MAX_ATTEMPTS`` times; deliveries and messages (``BY_AGE``) until they are too old, which their
rows say. A write is never tried again from here: what began belongs to the gate's
own lease and recovery.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from twokey.core.values import InboundId, Instant, MessageId, ProposalId, RunId, Value

Task = Literal["drive", "execute", "handle", "post"]

MAX_ATTEMPTS: Final = 5
BY_AGE: Final = frozenset[Task]({"handle", "post"})
"""Tasks that are tried again however often where their surroundings are at fault: their rows say when that ends."""
MOST: Final = 99
"""No attempt is counted beyond this one."""
FIRST_PAUSE_S: Final = 1
LONGEST_PAUSE_S: Final = 60
URGENT: Final = 10
"""Priority of what people have approved already, and of what they wait for in front of a screen. What a person asks
for has 0; schedules say theirs."""


class Job(Value):
    """One thing to do.

    ``drive`` a run, ``execute`` an approved or started proposal, ``handle`` what a channel received, ``post`` what it
    is to show.
    """

    task: Task
    subject: RunId | ProposalId | InboundId | MessageId
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Higher comes first; among equals the older one."""
    not_before_us: Instant = 0
    attempt: Annotated[int, Field(ge=1, le=MOST)] = 1

    @property
    def key(self) -> str:
        """The same for the same job: at most one of them waits in the queue."""
        return f"{self.task}:{self.subject}"

    @property
    def lock(self) -> str:
        """What is worked on by one worker at a time."""
        return self.subject


def drive(run: str, *, priority: int = 0) -> Job:
    """Give the job of starting a run or taking it up again."""
    return Job(task="drive", subject=run, priority=priority)


def execute(proposal: str) -> Job:
    """Give the job of carrying out an approved proposal, or of finding out what became of a started write."""
    return Job(task="execute", subject=proposal, priority=URGENT)


def handle(inbound: str) -> Job:
    """Give the job of handling what a channel received."""
    return Job(task="handle", subject=inbound, priority=URGENT)


def post(message: str) -> Job:
    """Give the job of posting a message, or of bringing it up to date."""
    return Job(task="post", subject=message, priority=URGENT)


def pause_s(attempt: int) -> int:
    """Seconds to wait after the given attempt, counted from 1, has failed."""
    return int(min(FIRST_PAUSE_S << min(attempt - 1, 16), LONGEST_PAUSE_S))


def again(job: Job, now_us: int, *, bounded: bool = True) -> Job | None:
    """Give the job as it is to be tried again, or none where it is ``bounded`` and was tried often enough."""
    if bounded and job.attempt >= MAX_ATTEMPTS:
        return None
    later = now_us + pause_s(job.attempt) * 1_000_000
    return job.model_copy(update={"attempt": min(job.attempt + 1, MOST), "not_before_us": later})
