"""How fast tickets are judged: ``twokey bench triage``, beside a floor measured in the same run.

Rules
- What is judged are made-up tickets of the length of real ones (several texts of the general reader each, with code,
  logs and forms), judged by the product's own reader once it has learned and is loaded: kind with reasons, priority,
  missing information, weakness, spam and language.
- The floor is scikit-learn's TF-IDF of words and pairs of words over the same texts, fitted before: what any reader
  that counts words pays at least.
- Figures are of the processor's time, because other programs share the machine; ``_by_the_clock`` is of the clock.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any, Final

from twokey.agents.triage import general
from twokey.agents.triage.labelled import blended
from twokey.agents.triage.learned import Learned
from twokey.agents.triage.reader import TicketReader
from twokey.agents.triage.values import TicketText
from twokey.core.errors import EnvironmentFault

TICKETS: Final = 2_000
QUICK: Final = 300
LEARNED_FROM: Final = 900
_PROGRAM: Final = """
import json, sys, time
started = time.process_time()
from pathlib import Path
from twokey.agents.triage import general
from twokey.agents.triage.reader import TicketReader
from twokey.agents.triage.taught import NOTHING
imported = time.process_time()
reader = TicketReader.by(NOTHING, general.model(Path(sys.argv[1])))
print(json.dumps([imported - started, time.process_time() - imported]))
"""


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Measure; gives tickets a second, start-up in milliseconds, and the floor.

    Raises:
        EnvironmentFault: a process of its own could not be started.

    """
    count = QUICK if quick else TICKETS
    tickets = blended(general.tickets(general.texts()), count + LEARNED_FROM)
    texts = [ticket.text for ticket in tickets[:count]]
    started = time.process_time()
    learned = Learned.fit(tickets[count:])
    learn_s = time.process_time() - started
    if learned is None:
        raise EnvironmentFault("The texts of the general reader are damaged.", next="Install Twokey again.")
    reader = TicketReader.of_kinds(learned)
    reader.understand(texts[:20])
    clock, processor = time.perf_counter(), time.process_time()
    reader.understand(texts)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    floor = _floor(texts)
    first, later = _start_up()
    return {
        "docs_per_s": round(count / processor, 1),
        "docs_per_s_by_the_clock": round(count / clock, 1),
        "tfidf_docs_per_s": round(count / floor, 1),
        "vs_tfidf": round(processor / floor, 2),
        "tickets": count,
        "characters": sum(len(text.title) + len(text.body) for text in texts) // count,
        "learn_from": learned.tickets,
        "learn_s": round(learn_s, 2),
        "import_ms": round(later[0] * 1_000),
        "first_start_ms": round(first[1] * 1_000),
        "later_start_ms": round(later[1] * 1_000),
    }


def _floor(texts: Sequence[TicketText]) -> float:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - for this measurement alone

    joined = [f"{text.title}\n{text.body}" for text in texts]
    counter = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(joined)
    started = time.process_time()
    counter.transform(joined)
    return max(time.process_time() - started, 1e-9)


def _start_up() -> tuple[list[float], list[float]]:
    """Give seconds of importing and of having the general reader ready, in a first process and a later one."""
    with TemporaryDirectory() as folder:
        found: list[list[float]] = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", _PROGRAM, folder],
                capture_output=True,
                check=False,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            if done.returncode:
                raise EnvironmentFault(
                    "A process that reads tickets could not be started.", next="Install Twokey again."
                )
            found.append(json.loads(done.stdout))
    return found[0], found[1]
