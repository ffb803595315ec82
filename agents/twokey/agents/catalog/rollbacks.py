"""What to go back to where a model became worse, as the files of training runs in the repository tell.

Rules: said only beside a drop that was found. Which version is deployed and which one came before it stands in MLflow's
files (``lineage.experiments``); how good a version was does not, so that is said too. Where the files name no deployed
version, or none before it, nothing is guessed.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from twokey.agents.catalog import inert
from twokey.agents.catalog.findings import Findings
from twokey.agents.catalog.lineage import experiments
from twokey.core.values import Finding

FIRST: Final = 600_001
"""Number of the first of these findings, beyond the other ones of a draft."""
MOST: Final = 20


def rules(files: Mapping[str, bytes], claims: Findings, evidence: str) -> tuple[Finding, ...]:
    """Give what the run files suggest; nothing where no model became worse. ``evidence`` is that of the repository."""
    if not any(finding.kind == "model_drop" for finding in claims.items):
        return ()
    return tuple(
        Finding(
            id=f"f-{FIRST + number}",
            subject="repository",
            kind="rollback_rule",
            claim=claim[:1000],
            evidence=(evidence,),
            confidence=70,
            attention=True,
        )
        for number, claim in zip(range(MOST), _claims(files), strict=False)
    )


def _claims(files: Mapping[str, bytes]) -> Iterator[str]:
    edges = experiments.trace(files, ()).edges
    versions: dict[str, set[int]] = {}
    for edge in edges:
        for thing in (edge.source, edge.target):
            model, _, version = thing.name.rpartition(" ")
            if thing.kind == "model_version" and version.isdecimal():
                versions.setdefault(model, set()).add(int(version))
    for edge in edges:
        model, _, version = edge.source.name.rpartition(" ")
        if edge.how != "deployed" or not version.isdecimal():
            continue
        before = [number for number in versions[model] if number < int(version)]
        if before:
            stage = edge.target.name.removeprefix(f"{model}: ")
            yield (
                f"Version {version} of {inert.prose(model, 80)} is deployed ({inert.prose(stage, 40)}), as "
                f"{inert.code(edge.path, 200)} says, and version {max(before)} came before it: where it is the model "
                f"that became worse, go back to {max(before)}, if that was good. The run files do not say how good."
            )
