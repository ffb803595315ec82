"""Storms of tickets, made by hand: incidents as several people report them, in a stream of other tickets."""

import random
from dataclasses import dataclass

from twokey.agents.triage.storms import Report

INCIDENTS = {
    "login": (
        ("Cannot log in", "The login page says 500 since ten minutes."),
        ("Login broken?", "After the password I get an error page, HTTP 500. Two colleagues too."),
        ("SSO does not work", "Signing in with SSO ends on a white page with error 500."),
        ("[alert] auth-service: error rate above 20 %", "service=auth-service metric=error_rate value=0.43 for=5m"),
        ("locked out", "I try to sign in and it throws me out again. Is the login down?"),
        ("500 when signing in", "Nobody in our office can sign in."),
    ),
    "kafka": (
        ("Events arrive hours late", "Orders in the stream are three hours behind. Consumer lag grows."),
        ("[alert] consumer lag orders-stream above 1,000,000", "group=orders-sink topic=orders lag=2204211"),
        ("Dashboard shows no orders since noon", "The orders dashboard is flat since 12:00, the stream seems stuck."),
        ("orders-sink stuck", "The sink does not commit offsets any more, lag is at two million."),
        ("Late orders", "Why are orders of this afternoon missing in the warehouse? The stream is late."),
    ),
    "disk": (
        ("warehouse: no space left on device", "psycopg.errors.DiskFull: could not extend file: No space left on device"),
        ("dbt build fails", "Every model fails with 'could not extend file base/16384: No space left on device'."),
        ("[alert] disk of warehouse-01 at 100 %", "host=warehouse-01 mount=/var/lib/postgresql used=100 %"),
        ("Queries fail with DiskFull", "Any query that sorts fails: DiskFull, no space left."),
        ("Nightly job died", "ERROR: could not write to file pgsql_tmp: No space left on device"),
        ("Disk full?", "I cannot save a report, it says the disk is full."),
    ),
    "certificate": (
        ("API: certificate has expired", "curl: (60) SSL certificate problem: certificate has expired"),
        ("Browser warns about our console", "Chrome says the certificate of the console is not valid any more."),
        ("x509 errors from scoring-api", "x509: certificate has expired or is not yet valid: current time is after"),
        ("TLS handshake fails", "All calls to scoring-api fail in the TLS handshake since midnight, certificate expired."),
        ("console not secure", "The browser shows a red page and says that the connection is not secure."),
    ),
    "model": (
        ("All scores are 0.5", "Since the deploy every account has the score 0.5."),
        ("Scores look wrong", "Every customer has exactly the same churn score today, 0.5."),
        ("churn score constant", "The distribution of scores collapsed to one value after the release of this morning."),
        ("[alert] score_distribution drift", "model=churn metric=psi value=8.2 threshold=0.2"),
        ("Same score for everybody", "My list has 0.5 in each row. Is the model broken?"),
        ("Rollback churn model please", "Since churn-5.0 is live all scores are the same number."),
    ),
    "dns": (
        ("could not resolve host: registry.internal", "Builds fail: could not resolve host registry.internal"),
        ("CI is red everywhere", "Every pipeline fails to pull images: lookup registry.internal: no such host"),
        ("Name resolution broken in the cluster", "getaddrinfo ENOTFOUND registry.internal from all pods"),
        ("[alert] coredns errors", "service=coredns metric=servfail_rate value=0.71"),
        ("cannot pull images", "docker pull registry.internal/app: no such host"),
    ),
}  # fmt: skip
SUBJECTS = ("report", "export", "importer", "dashboard", "feature table", "notebook", "scheduler", "search", "invoice page", "mail digest",
            "access list", "backup", "API key page", "CSV upload", "experiment tracker", "metric store", "alert rule", "data contract")  # fmt: skip
COMPLAINTS = (
    ("{} ignores the time zone", "Times in the {} are shown in UTC although my profile says Paris."),
    ("Add a filter to the {}", "I would like to filter the {} by team, so that I find mine at once."),
    ("How do I change the owner of a {}?", "I have taken over from a colleague and cannot edit the {}."),
    ("{}: wrong number of rows", "The {} has 12 rows more than the source. I compared the counts by hand."),
    ("{} is hard to find in the menu", "New people in the team do not find the {}; it hides under settings."),
    ("Please document the {}", "There is no page about the {}, I had to read the code."),
    ("{} sorts by name only", "Sorting the {} by date would save us time on Mondays."),
    ("{} cuts off long names", "Names of more than 40 characters are cut in the {}, two of them look alike then."),
)


@dataclass(frozen=True)
class Made:
    """A stream of tickets, and which incident each belongs to (by number)."""

    reports: tuple[Report, ...]
    truth: dict[int, int]


def stream(seed: int, incidents: tuple[str, ...], usual_gap_s: float, storm_gap_s: float = 240, days: int = 40) -> Made:
    """Make a stream: other tickets at random times, and each incident once or twice, reported by several people."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    made: list[tuple[float, str, str, str, int | None]] = []
    at = 0.0
    while at < days * 86_400:
        at += chance.expovariate(1 / usual_gap_s)
        title, body = chance.choice(COMPLAINTS)
        one, other = chance.sample(SUBJECTS, 2)
        text = f"{body.format(one)} {chance.choice(COMPLAINTS)[1].format(other)}"
        made.append((at, title.format(one), text, f"p{chance.randrange(30)}", None))
    for number, name in enumerate(incidents * 2):
        at = chance.uniform(5, days - 1) * 86_400
        texts = chance.sample(INCIDENTS[name], chance.randint(4, len(INCIDENTS[name])))
        for title, body in texts:
            made.append((at, title, body, f"q{chance.randrange(1_000)}", number))
            at += chance.expovariate(1 / storm_gap_s)
    made.sort()
    reports = tuple(
        Report(number, f"S-{number}", int(when), title, body, author)
        for number, (when, title, body, author, _) in enumerate(made)
    )
    truth = {number: incident for number, (*_, incident) in enumerate(made) if incident is not None}
    return Made(reports, truth)
