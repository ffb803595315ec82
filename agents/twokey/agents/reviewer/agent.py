"""The reviewer's step: checks every claim against the evidence it cites before anything is proposed.

Rules: a finding without support is dropped, a draft that carries an unbacked claim never becomes a proposal; the
reviewer reads stored evidence only and believes no agent's word.
"""

from typing import Any, cast

from langgraph.runtime import Runtime

from twokey.agents.reviewer.checks import review
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.values import Plan, Report
from twokey.tools.desk import Desk


def review_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Review every report and draft of the steps before this one."""
    desk = runtime.context.desk
    steps = Plan.model_validate(desk.kept("plan")).steps
    number = steps[state.get("position", 0)].number
    desk.step_started(number, "reviewer")
    claims = supported = dropped = 0
    problems: list[str] = []
    for step in steps:
        name = f"report-{step.number}"
        if step.number >= number or not desk.has(name):
            continue
        report = Report.model_validate(desk.kept(name))
        draft_name = f"draft-{step.number}"
        draft = desk.kept(draft_name) if desk.has(draft_name) else None
        result = review(report, _evidence(desk, report), draft)
        claims += result.claims
        supported += result.supported
        dropped += len(result.dropped)
        problems.extend(result.problems)
        if result.problems and draft is not None:
            desk.forget(draft_name)
        elif draft is not None and result.dropped:
            desk.keep(draft_name, _without(cast("dict[str, Any]", draft), {finding for finding, _ in result.dropped}))
    code = "unbacked_claim" if problems else "ok"
    desk.keep("review", {"claims": claims, "supported": supported, "dropped": dropped, "problems": problems[:50]})
    desk.reviewed(claims=claims, supported=supported, dropped=dropped, code=code)
    desk.step_ended(number, "reviewer", code=code)
    runtime.context.tell(Progress(number, f"{supported} of {claims} claims are supported by the evidence they cite"))
    return {}


def _evidence(desk: Desk, report: Report) -> dict[str, Any]:
    cited = {evidence for finding in report.findings for evidence in finding.evidence}
    return {evidence: desk.content(evidence)[1] for evidence in sorted(cited)}


def _without(draft: dict[str, Any], dropped: set[str]) -> dict[str, Any]:
    """Take dropped findings out of what a proposal would cite."""
    return {**draft, "findings": [finding for finding in draft["findings"] if finding["id"] not in dropped]}
