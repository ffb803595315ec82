"""``eval`` and ``bench``: quality on labelled data, and speed beside a floor measured in the same run."""

from typing import Annotated

import typer

from twokey.channels.cli.measuring_log import bench_audit
from twokey.channels.cli.session import SESSION
from twokey.core.errors import BadInput


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    measure = typer.Typer(help="Measure quality on labelled data.")
    measure.command("classify")(classify)
    measure.command("joins")(joins)
    measure.command("errors")(errors)
    measure.command("duplicates")(duplicates)
    measure.command("injection", short_help="Play a compromised model against the gate.")(injection)
    measure.command("yaml")(yaml)
    measure.command("triage")(triage)
    measure.command("logs")(logs)
    measure.command("summaries")(summaries)
    measure.command("incident")(incident)
    app.add_typer(measure, name="eval")
    bench = typer.Typer(help="Measure speed.")
    bench.command("startup")(startup)
    bench.command("audit")(bench_audit)
    bench.command("gate")(gate)
    bench.command("dispatch")(dispatch)
    bench.command("policy")(policy)
    bench.command("slack")(slack)
    bench.command("catalog")(catalog)
    bench.command("triage")(bench_triage)
    bench.command("console")(bench_console)
    bench.command("incident")(bench_incident)
    app.add_typer(bench, name="bench")


def classify(
    tables: Annotated[str, typer.Option("--tables", help="Folder of CSV or Parquet files.")],
    truth: Annotated[
        str, typer.Option("--truth", help="CSV: table, column_index, column, semantic_type, class, pii[, sensitivity].")
    ],
) -> None:
    """Tell class and sensitivity of every column, and compare."""
    from pathlib import Path

    from twokey.agents.catalog.evaluate_classify import as_lines, evaluate

    result = evaluate(Path(tables), Path(truth))
    for line in as_lines(result):
        SESSION.say(line)
    SESSION.give(result)


def joins(
    url: Annotated[
        str | None, typer.Argument(help="Database whose declared keys are hidden from the detector.")
    ] = None,
    names_only: Annotated[
        str | None, typer.Option("--names-only", help="JSON file with a list of databases in Spider's form.")
    ] = None,
) -> None:
    """Find relationships with the declared keys hidden, and compare."""
    from pathlib import Path

    from twokey.agents.catalog.evaluate_joins import on_names, on_warehouse

    if (url is None) == (names_only is None):
        raise BadInput("Give either a database URL or --names-only FILE.", next="See `twokey eval joins --help`.")
    result = on_warehouse(url) if url is not None else on_names(Path(str(names_only)))
    for key in ("precision", "recall", "f1"):
        SESSION.say(f"{key:<10} {result[key]:.3f}")
    for key in ("found", "missed", "extra"):
        for item in result[key]:
            SESSION.say(f"{key:<10} {item}")
    SESSION.give(result)


def duplicates(
    reports: Annotated[str, typer.Option("--reports", help="CSV: id, created_at, title, body.")],
    pairs: Annotated[str, typer.Option("--pairs", help="CSV: id, duplicate_of. Read for scoring only.")],
) -> None:
    """Look each report up among the earlier ones, and compare."""
    from pathlib import Path

    from twokey.agents.triage.evaluate_duplicates import as_lines, evaluate

    result = evaluate(Path(reports), Path(pairs))
    for line in as_lines(result):
        SESSION.say(line)
    SESSION.give(result)


def errors(
    dirty: Annotated[str, typer.Option("--dirty", help="CSV file whose wrong cells are to be found.")],
    clean: Annotated[str, typer.Option("--clean", help="The same rows, corrected; read for scoring only.")],
) -> None:
    """Find wrong cells without labels, and compare."""
    import time
    from pathlib import Path

    from twokey.agents.catalog.evaluate_errors import on_files

    result = on_files(Path(dirty), Path(clean), time.time_ns() // 1000)
    for key in ("precision", "recall", "f1", "column_flag_f1", "findings", "seconds"):
        SESSION.say(f"{key:<15} {result[key]}")
    for claim in result["claims"]:
        SESSION.say(f"- {claim}")
    SESSION.give(result)


def injection(
    suite: Annotated[
        str | None, typer.Option("--suite", help="Folder with cases.jsonl; without it, Twokey's own cases.")
    ] = None,
    reviewer: Annotated[
        list[str] | None, typer.Option("--reviewer", help="Play under this one only; may be given again.")
    ] = None,
) -> None:
    """Play a compromised model against the gate, under three reviewers and without a gate."""
    from pathlib import Path

    from twokey.channels.injection.evaluation import evaluate
    from twokey.channels.injection.reviewers import chosen
    from twokey.channels.injection.shown import lines

    result = evaluate(
        Path(suite) if suite is not None else None, names=chosen(reviewer or ()), tell=SESSION.say, apart=True
    )
    for line in lines(result):
        SESSION.say(line)
    SESSION.give(result)


def yaml(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder with dbt property files, searched through.")],
) -> None:
    """Edit every YAML file below a folder, in memory. Changes that nobody asked for are looked for."""
    from pathlib import Path

    from twokey.agents.catalog.evaluate_yaml import on_folder

    result = on_folder(Path(folder))
    for key, value in result.items():
        if not isinstance(value, list | dict):
            SESSION.say(f"{key:<20} {value}")
    for each in result["refusals"]:
        SESSION.say(f"refused  {each['file']}  {each['place']}  {each['edit']}  {each['code']}: {each['reason']}")
    for each in result["noise"]:
        SESSION.say(f"noise    {each['file']}  {each['line']}")
    for each in result["changes"]:
        SESSION.say(f"changed  {each['file']}  {each['place']}")
    SESSION.give(result)


def triage(
    train: Annotated[str | None, typer.Option("--train", help="CSV of labelled tickets to learn from.")] = None,
    test: Annotated[str | None, typer.Option("--test", help="CSV of labelled tickets to judge.")] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", help="Learn and judge within one file, in so many parts.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="Column with the kind.")] = "label",
    text: Annotated[str, typer.Option("--text", help="Columns of the title and the body, by comma.")] = "title,body",
    group: Annotated[str | None, typer.Option("--group", help="Column with the project.")] = None,
    shots: Annotated[int | None, typer.Option("--shots", help="Learn from so many per kind and project.")] = None,
    target: Annotated[float, typer.Option("--target", help="Share of what it stands by that is to be right.")] = 0.9,
    resamples: Annotated[
        int, typer.Option("--resamples", help="Bootstrap samples in which the target is tried.")
    ] = 1_000,
) -> None:
    """Learn kinds of tickets, tell them of others, and compare."""
    from pathlib import Path

    from twokey.agents.triage.evaluate_triage import Plan, as_lines, evaluate

    plan = Plan(
        train=Path(train) if train is not None else None,
        test=Path(test) if test is not None else None,
        folds=folds,
        label=label,
        text=tuple(name.strip() for name in text.split(",") if name.strip()),
        group=group,
        shots=shots,
        target=target,
        resamples=resamples,
    )
    result = evaluate(plan)
    for line in as_lines(result):
        SESSION.say(line)
    SESSION.give(result)


def logs(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder with SYSTEM/log.csv for each system.")],
) -> None:
    """Mine the templates of log lines, and compare."""
    from pathlib import Path

    from twokey.agents.incident.evaluate_logs import on_folder

    result = on_folder(Path(folder))
    for name, figures in (*result["systems"].items(), ("mean", result["mean"])):
        SESSION.say(
            f"{name:<12} grouping {figures['grouping_accuracy']:.3f}   parsing {figures['parsing_accuracy']:.3f}   "
            f"{figures['lines_per_s']:,.0f} lines/s"
        )
    SESSION.give(result)


def summaries(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder with incident bundles, searched through.")],
) -> None:
    """Summarize incidents, check every sentence, and compare. Against what it cites, and with what was expected."""
    from pathlib import Path

    from twokey.agents.incident.evaluate_summaries import evaluate

    result = evaluate(Path(folder))
    for key, value in result.items():
        if isinstance(value, list):
            for item in value:
                SESSION.say(f"{key:<20} {item}")
        else:
            SESSION.say(f"{key:<20} {value}")
    SESSION.give(result)


def incident(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder with incident bundles and their truth, searched through.")
    ],
) -> None:
    """Rank the suspects of labelled incidents, and compare."""
    from pathlib import Path

    from twokey.agents.incident.evaluate_ranking import as_lines, on_folder

    result = on_folder(Path(folder))
    for line in as_lines(result):
        SESSION.say(line)
    SESSION.give(result)


def startup(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False) -> None:
    """Measure how long `twokey --help` takes in a cold process."""
    from twokey.channels.benchmarks import startup as measure

    result = measure(processes=5 if quick else 10)
    for key, value in result.items():
        SESSION.say(f"{key:<16} {value}")
    SESSION.give(result)


def gate(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False) -> None:
    """Measure what the gate adds to a write. Beside one through a plain LangGraph interrupt."""
    from twokey.channels.bench_gate import gate as measure

    result = measure(rounds=10 if quick else 40)
    for name, figures in result["databases"].items():
        SESSION.say(
            f"{name:<12} raw {figures['raw_ms']:.1f} ms · gated {figures['gated_ms']:.1f} ms · "
            f"added {figures['added_vs_raw']:.2f} of raw"
        )
    SESSION.give(result)


def dispatch(*, quick: Annotated[bool, typer.Option("--quick", help="Shorter measurements.")] = False) -> None:
    """Measure worker processes on a PostgreSQL server. Runs per second, and the takeover of a dead one."""
    from twokey.channels.dispatch_benchmark import measure

    result = measure(quick=quick)
    for key, value in result.items():
        SESSION.say(f"{key:<20} {value}")
    SESSION.give(result)


def policy(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer decisions.")] = False) -> None:
    """Measure a decision, and a replay of 100,000 past ones. In process and through an OPA server."""
    from twokey.channels import bench_policy

    result = bench_policy.policy(quick=quick)
    for line in bench_policy.as_lines(result):
        SESSION.say(line)
    SESSION.give(result)


def slack(*, quick: Annotated[bool, typer.Option("--quick", help="Shorter measurements.")] = False) -> None:
    """Measure how fast Slack gets its acknowledgement. At 50 commands a second; also what is lost when killed."""
    from twokey.channels.bench_slack import measure

    result = measure(quick=quick)
    for key, value in result.items():
        SESSION.say(f"{key:<20} {value}")
    SESSION.give(result)


def catalog(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer tables.")] = False) -> None:
    """Measure how fast a warehouse is read and understood. Beside DuckDB's SUMMARIZE of the same files."""
    from twokey.channels.bench_catalog import QUICK, Sizes, measure

    result = measure(QUICK if quick else Sizes())
    for key, value in result.items():
        SESSION.say(f"{key:<28} {value}")
    SESSION.give(result)


def bench_triage(*, quick: Annotated[bool, typer.Option("--quick", help="Fewer tickets.")] = False) -> None:
    """Measure how fast tickets are judged. Beside TF-IDF alone; also what starting costs."""
    from twokey.channels.bench_triage import measure

    result = measure(quick=quick)
    for key, value in result.items():
        SESSION.say(f"{key:<24} {value}")
    SESSION.give(result)


def bench_console(*, quick: Annotated[bool, typer.Option("--quick", help="A smaller workspace.")] = False) -> None:
    """Measure every page of the console, on a large workspace. 100,000 proposals and 1,000,000 entries of the log."""
    from twokey.channels.bench_console import measure

    result = measure(quick=quick, tell=lambda text: typer.echo(text, err=True))
    for name, figures in result["pages"].items():
        SESSION.say(f"{name:<20} p50 {figures['p50_ms']:>8,.1f} ms   p95 {figures['p95_ms']:>8,.1f} ms")
    for key in ("first_page_ms", "floor_ms", "worst_p95_ms", "slowest", "proposals", "log_entries", "fill_s", "rss_mb"):
        SESSION.say(f"{key:<20} {result[key]}")
    SESSION.give(result)


def bench_incident(
    *, quick: Annotated[bool, typer.Option("--quick", help="Without the large bundle.")] = False
) -> None:
    """Measure how fast suspects of an incident are ranked. Beside reading the files alone."""
    from twokey.channels.bench_incident import measure

    result = measure(quick=quick, tell=lambda text: typer.echo(text, err=True))
    for key, value in result.items():
        SESSION.say(f"{key:<24} {value}")
    SESSION.give(result)
