"""The reviewer's step: checks every claim against the evidence it cites before anything is proposed.

Rules: a finding without support is dropped, a draft that carries an unbacked claim never becomes a proposal; the
reviewer reads stored evidence only and believes no agent's word.
"""

from typing import Any, cast

from langgraph.runtime import Runtime

from twokey.agents import drafts
from twokey.agents.incident import drafting
from twokey.agents.incident.operations import steps as ops
from twokey.agents.incident.steps import house_of, material_of
from twokey.agents.reviewer import incidents, operations, tickets
from twokey.agents.reviewer.checks import Known, review
from twokey.agents.state import Progress, State, Surroundings
from twokey.agents.triage.steps import read_by
from twokey.core.errors import NotFound
from twokey.core.values import Plan, Report
from twokey.tools.desk import Desk


def review_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Review every report and draft of the steps before this one."""
    desk = runtime.context.desk
    steps = Plan.model_validate(desk.kept("plan")).steps
    number = steps[state.get("position", 0)].number
    desk.step_started(number, "reviewer")
    earlier = [step.number for step in steps if step.number < number]
    if any(step.action == "operations_review" for step in steps):
        return _review_operations(runtime, number, earlier)
    if any(step.agent == "triage" for step in steps):
        return _review_tickets(runtime, number, earlier)
    if any(step.agent == "incident" for step in steps):
        return _review_incident(runtime, number, earlier)
    report = _reported(desk, earlier)
    evidence = _evidence(desk, report)
    known = Known()
    result = review(report, evidence, None, known)
    problems = list(result.problems)
    unfit = {finding for finding, _ in result.dropped}
    for name in drafts.names(desk, earlier):
        draft = cast("dict[str, Any]", desk.kept(name))
        found = review(report, evidence | _named(desk, draft), _without(draft, unfit), known).problems
        if found:
            problems.extend(found)
            desk.forget(name)
        elif unfit:
            desk.keep(name, _without(draft, unfit))
    code = "unbacked_claim" if problems else "ok"
    summary = {"claims": result.claims, "supported": result.supported, "dropped": len(unfit)}
    desk.keep("review", {**summary, "problems": problems[:50]})
    desk.reviewed(**summary, code=code)
    desk.step_ended(number, "reviewer", code=code)
    runtime.context.tell(Progress(number, _said(result.supported, result.claims, len(problems))))
    return {}


def _review_tickets(runtime: Runtime[Surroundings], number: int, earlier: list[int]) -> State:
    """Review what was said about tickets, and each change by itself: one that fails takes no other with it."""
    desk = runtime.context.desk
    report = _reported(desk, earlier)
    evidence = tickets.Evidence(_held(desk, set(read_by(desk))))
    unfit = {finding.id for finding in report.findings if tickets.fault(finding, evidence) is not None}
    names = runtime.context.team.names() if runtime.context.team else frozenset[str]()
    problems: list[str] = []
    for name in drafts.names(desk, earlier):
        draft = cast("dict[str, Any]", desk.kept(name))
        kept = _without(draft, unfit)
        found = tickets.problems(draft, evidence, names) or ([] if kept["findings"] else ["nothing is left to say"])
        if found:
            problems += found
            desk.forget(name)
        elif unfit:
            desk.keep(name, kept)
    summary = {"claims": len(report.findings), "supported": len(report.findings) - len(unfit), "dropped": len(unfit)}
    code = "unbacked_claim" if problems else "ok"
    desk.keep("review", {**summary, "problems": problems[:50]})
    desk.reviewed(**summary, code=code)
    desk.step_ended(number, "reviewer", code=code)
    runtime.context.tell(Progress(number, _said(summary["supported"], summary["claims"], len(problems))))
    return {}


def _review_incident(runtime: Runtime[Surroundings], number: int, earlier: list[int]) -> State:
    """Review what was said about an incident, and work out again what was drafted about it."""
    desk, house = runtime.context.desk, house_of(runtime)
    found, report = material_of(desk), _reported(desk, earlier)
    wrong = incidents.unfit(found, report.findings, house)
    standing = [finding for finding in report.findings if finding.id not in wrong]
    ground = drafting.ground_of(desk, house)
    problems: list[str] = []
    for name in drafts.names(desk, earlier):
        draft = cast("dict[str, Any]", desk.kept(name))
        body = incidents.again(draft, found, standing, house, ground)
        if not incidents.stands(draft, found, house, ground) or body is None:
            problems.append(f"{incidents.PROBLEM} draft")
            desk.forget(name)
        elif wrong:
            desk.keep(name, body)
    summary = {"claims": len(report.findings), "supported": len(standing), "dropped": len(wrong)}
    code = "unbacked_claim" if problems else "ok"
    desk.keep("review", {**summary, "problems": problems[:50]})
    desk.reviewed(**summary, code=code)
    desk.step_ended(number, "reviewer", code=code)
    runtime.context.tell(Progress(number, _said(len(standing), len(report.findings), len(problems))))
    return {}


def _review_operations(runtime: Runtime[Surroundings], number: int, earlier: list[int]) -> State:
    """Review what an ops review says; what does not stand is taken out of what is reported."""
    desk, book = runtime.context.desk, ops.book_of(runtime)
    read = ops.read_by(desk)
    held = _held(desk, set(read.values()))
    in_order = {evidence: held[evidence] for evidence in read.values() if evidence in held}
    report = _reported(desk, earlier)
    unfit = operations.unfit(book, report.findings, in_order, read["running"])
    every = len(report.findings)
    standing = tuple(finding for finding in report.findings if finding.id not in unfit)
    step = Plan.model_validate(desk.kept("plan")).steps[earlier[-1] - 1]
    if unfit:
        desk.keep(f"report-{step.number}", Report(agent=ops.AGENT, findings=standing).canonical())
    for name in drafts.names(desk, earlier):
        again = ops.ticket(desk, step, house_of(runtime), standing)
        if again is None:
            desk.forget(name)
        else:
            desk.keep(name, again)
    summary = {"claims": every, "supported": every - len(unfit), "dropped": len(unfit)}
    code = "unbacked_claim" if unfit else "ok"
    desk.keep("review", {**summary, "problems": [f"{code} {reason}" for reason in list(unfit.values())[:50]]})
    desk.reviewed(**summary, code=code)
    desk.step_ended(number, "reviewer", code=code)
    runtime.context.tell(Progress(number, f"{summary['supported']} of {every} claims come out the same again"))
    return {}


def _said(supported: int, claims: int, problems: int) -> str:
    text = f"{supported} of {claims} claims are supported by the evidence they cite"
    return f"{text}; the draft is withdrawn: {problems} of its parts have no support" if problems else text


def _reported(desk: Desk, steps: list[int]) -> Report:
    """Give the findings of several steps as one report; a later step may hand on what an earlier one found."""
    findings = {
        finding.id: finding
        for step in steps
        if desk.has(f"report-{step}")
        for finding in Report.model_validate(desk.kept(f"report-{step}")).findings
    }
    return Report(agent="reviewer", findings=tuple(findings.values()))


def _evidence(desk: Desk, report: Report) -> dict[str, Any]:
    return _held(desk, {evidence for finding in report.findings for evidence in finding.evidence})


def _named(desk: Desk, draft: dict[str, Any]) -> dict[str, Any]:
    """Give the evidence that a draft names for its arguments: among it what the repository said before."""
    return _held(desk, {str(evidence) for part in draft["provenance"] for evidence in part.get("evidence", ())})


def _held(desk: Desk, wanted: set[str]) -> dict[str, Any]:
    """Give what this run really has of the evidence named; what it has not supports nothing."""
    held: dict[str, Any] = {}
    for name in sorted(wanted):
        try:
            evidence, content = desk.content(name)
        except NotFound:
            continue
        if evidence.run == desk.run:
            held[name] = content
    return held


def _without(draft: dict[str, Any], dropped: set[str]) -> dict[str, Any]:
    """Take dropped findings out of what a proposal would cite."""
    return {**draft, "findings": [finding for finding in draft["findings"] if finding["id"] not in dropped]}
