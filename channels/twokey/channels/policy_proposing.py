"""Turns a new policy bundle into a change of the repository that holds the old one, with the replay in its text.

Rules: a bundle that does not compile in both engines, or whose own tests fail, is not proposed. What is asked for is
named by its revisions, and the folder is read once, so that what is shown is what is proposed. The repository is read
from a commit, and only files of a bundle are changed or deleted there. The report is cut to what a pull request holds,
and says so.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

from twokey.channels import opa_program
from twokey.channels.policy_checks import Startable, checked
from twokey.channels.policy_wishes import Wish
from twokey.channels.replay_report import Report, markdown, summary
from twokey.channels.replay_run import Replaying
from twokey.channels.replay_saving import saved
from twokey.channels.replaying import Engine
from twokey.core.errors import CheckFailed, Refused, ToolRetry
from twokey.policies import bundle
from twokey.policies.bundle import Bundle
from twokey.policies.diff import diff
from twokey.policies.replay import Tally
from twokey.tools.contract import Place
from twokey.tools.forge import FILE_MODE, TREE_MODE, Edit, Forge, Repository
from twokey.tools.ledger import Ledger
from twokey.tools.policy_change import PolicyChange

MAX_REPORT: Final = 40_000
"""Characters of the report in a pull request; a pull request's text holds 60,000."""
MAX_LINES: Final = 60
EVERY: Final = 5000


class BatchEngine(Engine, Startable, Protocol):
    """An engine that can be tried on a bundle and take many decisions on it."""


class PolicyProposing:
    """Works out changes of the policy for one workspace."""

    def __init__(
        self,
        *,
        in_force: Bundle,
        ledger: Ledger,
        forge: Forge,
        engine: Callable[[Bundle], BatchEngine],
        opa: Path | None,
        replays: Path | None,
        engines: int = 2,
    ) -> None:
        """``in_force`` decides now; ``opa`` is the program, where it is here; ``engines`` engines replay at once.

        In ``replays``, if anywhere, an interrupted replay leaves what it has found.
        """
        self._in_force = in_force
        self._ledger = ledger
        self._forge = forge
        self._engine = engine
        self._opa = opa
        self._replays = replays
        self._engines = engines

    def change(self, wanted: Wish, place: Place, run: str, tell: Callable[[str], None]) -> PolicyChange:
        """Check and replay the bundle, and work out the pull request.

        Raises:
            Refused: the bundle is another one than was asked for, fails its checks, or changes nothing.
            TwokeyError: the repository or the log cannot be read.

        """
        # The folder belongs to whoever asks, and can change at any moment: it is read once.
        with tempfile.TemporaryDirectory(prefix="twokey-bundle-") as folder:
            copy = Path(folder)
            files = _copied(wanted.folder, copy)
            new = bundle.load(copy)
            if (new.revisions.policy, new.revisions.data) != (wanted.policy, wanted.data):
                raise Refused(
                    "The bundle was changed after it was asked to be proposed.",
                    next="Ask again with the bundle as it is now.",
                    code="changed_bundle",
                )
            return self._worked_out(wanted, place, run, tell, copy, files, new)

    def _worked_out(  # what of
        self,
        wanted: Wish,
        place: Place,
        run: str,
        tell: Callable[[str], None],
        copy: Path,
        files: dict[str, bytes],
        new: Bundle,
    ) -> PolicyChange:
        with self._forge.open(place.location) as repository:
            base = repository.describe()
            held = dict(_held(repository, base.commit, wanted.path))
        edits = tuple(_edits(wanted.path, held, files))
        if not edits:
            raise Refused(
                "The repository holds this very bundle already.",
                next="Change the bundle first; nothing was proposed.",
                code="nothing_to_propose",
            )
        checks = self._checked(copy)
        tell("the bundle passes its checks")
        tally, report = self._replayed(new, tell)
        differences = [item.sentence() for item in diff(self._in_force, new)]
        claim = summary(tally, new.revisions)
        return PolicyChange(
            place=place,
            base_branch=base.branch,
            base_commit=base.commit,
            branch=f"twokey/policy-{run}",
            title=f"Change the policy ({tally.changed:,} of {tally.again:,} past decisions would differ)",
            body=_body(differences, checks, report),
            edits=edits,
            claim=f"{claim[0]} {claim[1]}",
            figures=tally.as_json(),
            why=f"The policy is to become policy {wanted.policy[:12]}, data {wanted.data[:12]}.",
        )

    def _checked(self, copy: Path) -> list[str]:
        """Have both engines compile the bundle and run its own tests; gives what was found, in sentences."""
        found = checked(copy, self._opa, self._engine)
        if not found.ok:
            first = found.load or found.embedded or (found.opa or ("",))[0]
            raise Refused(
                f"The bundle does not pass its checks: {first[:200]}",
                next="Correct it; `twokey policy check` says all that is wrong.",
                code="bundle_fails",
            )
        lines = ["Form, data and built-ins are in order; the embedded engine compiles it."]
        if self._opa is None:
            return [*lines, "OPA was not here: `opa check` and the bundle's own tests were not run."]
        try:
            tested = opa_program.test(self._opa, copy)
        except CheckFailed as error:
            raise Refused(error.message, next=error.next, code="bundle_fails") from error
        if tested.failed:
            raise Refused(
                f"{len(tested.failed):,} tests of the bundle fail, the first is {tested.failed[0][:120]}.",
                next="Correct it; `twokey policy test` runs them.",
                code="bundle_fails",
            )
        return [
            *lines,
            f"`opa check --strict` finds nothing; {tested.passed:,} tests pass and cover {tested.coverage:.1f} %.",
        ]

    def _replayed(self, new: Bundle, tell: Callable[[str], None]) -> tuple[Tally, str]:
        with tempfile.TemporaryDirectory(prefix="twokey-replay-") as folder:
            path = Path(folder) / "replay.md"
            with closing(Report(path)) as report, saved(self._replays, new.revisions, 0) as before:
                run = Replaying(self._ledger, new, lambda: self._engine(new), 0, self._engines, report, before)
                with closing(run.changes()) as changes:
                    for count, _ in changes:
                        if count % EVERY == 0:
                            tell(f"{count:,} decisions taken again")
            text = path.read_text(encoding="utf-8")
        if not run.tally.ok:
            raise CheckFailed(
                "The replay found decisions that are not what the log says.",
                next="Run `twokey policy replay` and `twokey audit verify`.",
                code="replay_failed",
            )
        return run.tally, text


def _copied(folder: Path, copy: Path) -> dict[str, bytes]:
    """Read every file of a bundle once and write it into an empty folder of our own."""
    files = bundle.files_of(folder)
    for name, content in files.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
    return files


def _held(repository: Repository, commit: str, path: str) -> Iterator[tuple[str, bytes | None]]:
    """Give the files of a bundle below ``path`` in a commit, by their names in it; ``None`` where one is too large."""
    tree: str | None = repository.root(commit)
    for name in path.split("/"):
        tree = next(
            (
                entry.id
                for entry in (repository.directory(tree) if tree else ())
                if entry.name == name.encode() and entry.mode == TREE_MODE
            ),
            None,
        )
    waiting = [("", tree)] if tree else []
    while waiting:
        folder, found = waiting.pop()
        for entry in repository.directory(found):
            name = folder + entry.name.decode("utf-8", "replace")
            if entry.mode == TREE_MODE and name.count("/") < bundle.MAX_DEPTH:
                waiting.append((f"{name}/", entry.id))
            elif entry.mode == FILE_MODE and bundle.is_part(name):
                yield name, repository.blob(entry.id, bundle.MAX_FILE_BYTES)


def _edits(path: str, held: dict[str, bytes | None], wanted: dict[str, bytes]) -> Iterator[Edit]:
    for name in sorted({*held, *wanted}):
        if name not in wanted:
            yield Edit(f"{path}/{name}", None)
        elif held.get(name) != wanted[name]:
            try:
                wanted[name].decode()
            except UnicodeDecodeError as error:
                raise ToolRetry(f"{name[:80]} is no text.", next="Write it in UTF-8.") from error
            yield Edit(f"{path}/{name}", wanted[name])


def _body(differences: list[str], checks: list[str], report: str) -> str:
    more = len(differences) - MAX_LINES
    lines = ["## What changes", ""]
    lines += [f"- {markdown(item[:300])}" for item in differences[:MAX_LINES]]
    lines += [f"- and {more:,} more"] if more > 0 else []
    lines += [] if differences else ["- nothing that decides: tests, comments or form"]
    lines += ["", "## Checks", "", *(f"- {item}" for item in checks), ""]
    cut = report[:MAX_REPORT]
    if len(report) > MAX_REPORT:
        cut = (
            cut[: cut.rfind("\n") + 1]
            + "\nThe report is cut here; `twokey policy replay --report FILE.md` gives all.\n"
        )
    lines.append(cut.replace("# Policy replay", "## Policy replay", 1).replace("\n## ", "\n### "))
    lines += [
        "## After the merge",
        "",
        "Those whose signatures count use `twokey policy sign`, then one of them `twokey policy enforce`.",
        "Nothing changes until then.",
        "To go back, revert the merge, and sign and enforce the old rules under a new number.",
        "",
    ]
    return "\n".join(lines)
