"""The pull request that takes the suspected commit back, drafted for people to decide.

Rules: only where the repository said that it can be taken back as it stands (``clean``), and on top of that very
commit of its branch; the files are what ``read_catalog`` worked out, byte for byte; no text of the commit, of its
writer or of an event goes into the title or the body; the body says what is known, and that this is not proof.
"""

from collections.abc import Sequence

from twokey.agents.incident.bodies import PULL, body, cited
from twokey.agents.incident.shown import clock, day, length, name
from twokey.agents.incident.summary.story import Story
from twokey.agents.incident.summary.taking_back import Suspect, suspect
from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.read.commits import CommitRead, branch_of


def wanted(story: Story) -> Suspect | None:
    """Give the commit for which a revert is to be drafted; None where none is."""
    found = suspect(story)
    return found if found is not None and found.held.answer.code == "clean" else None


def draft(story: Story, found: Suspect, findings: Sequence[Finding], repository: Resource) -> Json:
    """Draft the pull request that takes it back in its repository."""
    read = found.held.answer
    looked = (found.held.evidence,)
    args = {
        "repository": repository.id,
        "base_branch": read.branch,
        "base_commit": read.tip,
        "branch": branch_of(str(read.commit)),
        "title": f"Revert {read.id} of {name(found.change.service)}",
        "body": _text(story, found, read),
        "files": [file.model_dump(mode="json") for file in read.files],
    }
    sources = [
        Provenance(path="repository", label="request" if repository.granted_by == "request" else "config"),
        *(
            Provenance(path=path, label="code", evidence=looked)
            for path in ("base_branch", "base_commit", "branch", "files.path")
        ),
        Provenance(path="title", label="evidence", evidence=looked),
        Provenance(path="body", label="evidence", evidence=(*cited(findings), *looked)),
        Provenance(path="files.content", label="evidence", evidence=looked),
        Provenance(path="files.mode", label="code"),
    ]
    why = f"Take back commit {read.id} of {name(found.change.service)}, if people find that it is to go."
    return body(PULL, args, sources, findings, why)


def _text(story: Story, found: Suspect, read: CommitRead) -> str:
    change, onset = found.change, story.onset
    service, at = name(change.service), f"{day(change.at_us)} at {clock(change.at_us)} UTC"
    lines = [f"Takes back commit {read.commit}, which the change of {service} on {at} ({name(change.what)}) names.", ""]
    if onset is not None:
        began = f"{name(onset.what)} of {name(onset.service)} began to be unusual at {clock(onset.at_us)} UTC"
        lines.append(
            f"- It came {length(onset.at_us - change.at_us)} before {began}, and {service} is whom the ranking names."
        )
    lines += [
        f"- That it came before is no proof. Look at what the commit was for before you approve; {_how(read)}.",
        f"- The incident: {name(story.material.about.id or story.material.about.service)}.",
        "- To take this back again: close the pull request; after a merge, revert it as a new proposal.",
    ]
    return "\n".join(lines)


def _how(read: CommitRead) -> str:
    if read.parents > 1:
        return "it is a merge, and is taken back against its first parent, so all that it brought in goes"
    return "commits after it stay as they are"
