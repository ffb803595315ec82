"""Jobs: what is the same job, and how often one is tried."""

import pytest
from pydantic import ValidationError

from twokey.core import jobs
from twokey.core.jobs import Job

RUN, PROPOSAL = "r-000000000001", "p-000000000001"


def test_the_same_job_has_the_same_key_whatever_its_priority_and_attempt():
    first = jobs.drive(RUN)
    assert first.key == jobs.drive(RUN, priority=5).key
    later = jobs.again(first, 0)
    assert later is not None
    assert later.key == first.key
    assert first.key != Job(task="execute", subject=RUN).key
    assert jobs.execute(PROPOSAL).priority > first.priority, "what people have approved comes first"
    assert (first.lock, jobs.execute(PROPOSAL).lock) == (RUN, PROPOSAL)


def test_a_job_is_tried_a_bounded_number_of_times_and_later_each_time():
    job = jobs.drive(RUN)
    waits: list[int] = []
    while later := jobs.again(job, 0):
        waits.append(later.not_before_us)
        job = later
    assert job.attempt == jobs.MAX_ATTEMPTS
    assert waits == [1_000_000, 2_000_000, 4_000_000, 8_000_000]
    assert jobs.pause_s(99) == jobs.LONGEST_PAUSE_S


def test_one_that_is_over_by_its_age_is_tried_however_often():
    job = jobs.handle("i-000000000001")
    assert job.task in jobs.BY_AGE
    waits: list[int] = []
    for _ in range(150):
        later = jobs.again(job, 0, bounded=False)
        assert later is not None
        waits.append(later.not_before_us // 1_000_000)
        job = later
    assert waits == [1, 2, 4, 8, 16, 32, *[jobs.LONGEST_PAUSE_S] * 144]
    assert job.attempt == jobs.MOST


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "drive", "subject": "../etc"},
        {"task": "approve", "subject": PROPOSAL},
        {"task": "drive", "subject": RUN, "priority": 101},
        {"task": "drive", "subject": RUN, "attempt": 0},
        {"task": "drive", "subject": RUN, "shell": "true"},
    ],
)
def test_a_job_names_a_run_or_a_proposal_and_nothing_else(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        Job.model_validate(fields)


def test_each_task_has_its_way_to_be_made():
    made = [jobs.drive(RUN), jobs.execute(PROPOSAL), jobs.handle("i-000000000001"), jobs.post("m-000000000001")]
    assert [job.task for job in made] == ["drive", "execute", "handle", "post"]
    assert len({job.key for job in made}) == 4
