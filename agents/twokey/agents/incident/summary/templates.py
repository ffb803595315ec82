"""The sentences that a summary may be made of, and no others.

Rules: a sentence says one thing; what stands in braces comes from evidence; the words around it are all the words that
a summary has (``VOCABULARY``), so that a sentence with any other word cannot be one of ours. Causes are spoken of in
``CAUSAL`` sentences alone. The section is the part of a kind before the first ``_``.
"""

import re
from typing import Final

SECTIONS: Final = {
    "summary": "Summary",
    "impact": "Impact",
    "timeline": "Timeline",
    "detection": "Detection",
    "factors": "Contributing factors",
    "resolution": "Resolution",
    "lessons": "What went well",
    "actions": "Action items",
    "links": "See also",
}

TEMPLATES: Final = {
    "summary_what": "{service} raised this incident; what was looked at is {day} from {start} to {end} UTC.",
    "summary_title": "Its source calls it {quote}.",
    "summary_onset": "It began on {day} at {at} UTC: {metric} of {service} went from {before} to {after}.",
    "summary_onset_bare": "It began on {day} at {at} UTC in {service}: {metric} were not as before.",
    "summary_cause": "The likeliest cause lies in {service}.",
    "summary_no_cause": "No cause was found: nothing that was read stands out enough to name one.",
    "summary_suspects": "{services} stand out, too.",
    "summary_suspect": "{services} stands out, too.",
    "impact_from_to": "{metric} of {service} was not as before from {start} to {end} UTC, for {length}.",
    "impact_still": (
        "{metric} of {service} was not as before from {start} UTC on; whether it was again by {end} UTC, the end of"
        " what was looked at, cannot be told."
    ),
    "impact_metric": "{metric} of {service} went from {before} to {after}, at the most {extreme} at {at} UTC.",
    "impact_metric_bare": "{metric} of {service} went from {before} to {after}.",
    "impact_gap": "{metric} of {service} has no samples for {seconds} seconds.",
    "impact_calls": (
        "{errors} of {calls} traced calls of {operation} of {service} failed; before, {errors_before} of {calls_before}"
        " did."
    ),
    "impact_requests": (
        "{requests} requests to {service} failed from {start} to {end} UTC, by its metrics {traffic} and {errors}."
    ),
    "impact_requests_unknown": "How many requests failed is not known: no samples that were read say it.",
    "impact_people": "{metric} of {service}, which counts people, went from {before} to {after}.",
    "impact_people_unknown": "How many people felt it is not known: no metric that was read says it.",
    "impact_cost": "{metric} of {service}, which counts money, went from {before} to {after}.",
    "impact_cost_unknown": "What it cost is not known: no metric that was read says it.",
    "timeline_onset": "{when} UTC: {metric} of {service} began to be unusual.",
    "timeline_change": "{when} UTC: change of {service} ({kind}) by {actor}: {quote}.",
    "timeline_change_bare": "{when} UTC: change of {service} ({kind}) by {actor}.",
    "timeline_page": "{when} UTC: page about {service} ({kind}): {quote}.",
    "timeline_page_bare": "{when} UTC: page about {service} ({kind}).",
    "timeline_ack": "{when} UTC: {actor} acknowledged the page about {service} ({kind}).",
    "timeline_said": "{when} UTC: {actor} wrote about {service} ({kind}).",
    "timeline_mitigation": "{when} UTC: {actor} acted on {service} ({kind}): {quote}.",
    "timeline_mitigation_bare": "{when} UTC: {actor} acted on {service} ({kind}).",
    "timeline_recovery": "{when} UTC: {metric} of {service} was as before again.",
    "timeline_recovered": "{when} UTC: {actor} recorded that {service} was well again ({kind}).",
    "timeline_other": "{when} UTC: {kind} of {service} by {actor}.",
    "detection_page": (
        "The first page about {service} came at {page} UTC, {length} after the onset at {onset} UTC in {metric} of"
        " {where}."
    ),
    "detection_page_before": (
        "The first page about {service} came at {page} UTC, {length} before the onset at {onset} UTC in {metric} of"
        " {where}."
    ),
    "detection_page_alone": "The first page about {service} came at {page} UTC; when it began cannot be told.",
    "detection_no_page": "No page is recorded.",
    "detection_ack": ("{actor} acknowledged it at {at} UTC, {length} after the page about {service} at {page} UTC."),
    "detection_no_ack": "Nobody is recorded to have acknowledged it.",
    "detection_metric": "What stands out most in {service} is {metric}: {before} before, {after} in the incident.",
    "factors_metric": "{metric} of {service} went from {before} to {after} from {at} UTC on.",
    "factors_metric_bare": "{metric} of {service} went from {before} to {after}.",
    "factors_logs": "Lines of {service} ({level}): {after}, from {at} UTC on, {before} before: {quote}.",
    "factors_logs_bare": "Lines of {service} ({level}): {after}, from {at} UTC on, {before} before.",
    "factors_logs_gone": "Lines of {service} ({level}): {after}, {before} before: {quote}.",
    "factors_slow": "{operation} of {service} took {after} ms by itself where it took {before} ms, from {at} UTC on.",
    "factors_first": "{operation} of {service} was the first to get slow.",
    "factors_errors": (
        "{errors} of {calls} calls of {operation} of {service} failed; before, {errors_before} of {calls_before} did."
    ),
    "factors_retries": "{operation} of {service} was called over and over in {retries} traces.",
    "factors_calls": "{caller} calls {callee}.",
    "factors_change": (
        "A change of {service} ({kind}) at {at} UTC came {length} before the onset at {onset} UTC in {metric} of"
        " {where}: {quote}."
    ),
    "factors_change_bare": (
        "A change of {service} ({kind}) at {at} UTC came {length} before the onset at {onset} UTC in {metric} of"
        " {where}."
    ),
    "factors_none": "Nothing that was read stands out.",
    "factors_unread": "{count} records of {signal} could not be read or were left out.",
    "resolution_mitigation": "{actor} acted on {service} ({kind}) at {at} UTC: {quote}.",
    "resolution_mitigation_bare": "{actor} acted on {service} ({kind}) at {at} UTC.",
    "resolution_none": "No mitigation is recorded.",
    "resolution_after": (
        "{metric} of {service} was as before at {at} UTC, {length} after the mitigation of {where} at {mitigation} UTC."
    ),
    "resolution_recovered": "{metric} of {service} was as before at {at} UTC.",
    "resolution_open": "No recovery is seen by {end} UTC, the end of what was looked at.",
    "lessons_page": (
        "The page about {service} at {page} UTC came within {length} of the onset at {onset} UTC in {metric} of"
        " {where}."
    ),
    "lessons_ack": ("{actor} acknowledged it at {at} UTC, within {length} of the page about {service} at {page} UTC."),
    "lessons_mitigation": (
        "The mitigation of {where} at {at} UTC came {length} after the page about {service} at {page} UTC."
    ),
    "lessons_none": "The record does not say.",
    "actions_change": "Look at the change of {service} at {at} UTC ({kind}) before it is made again. Owner: {owner}.",
    "actions_revert": (
        "Decide whether to take back commit {commit} of {place}, the change of {service} at {at} UTC ({kind}): as"
        " {place} stands, it can be. Owner: {owner}."
    ),
    "actions_revert_drafted": (
        "Decide on the branch of {place} that takes back commit {commit}, the change of {service} at {at} UTC ({kind}):"
        " it is there already. Owner: {owner}."
    ),
    "actions_revert_done": (
        "Make sure that {service} is deployed without commit {commit} of {place}, the change at {at} UTC ({kind}): it"
        " was taken back there already. Owner: {owner}."
    ),
    "actions_revert_changed": (
        "Take back commit {commit} of {place}, the change of {service} at {at} UTC ({kind}), by hand if it is to go:"
        " lines that it changed were changed again since. Owner: {owner}."
    ),
    "actions_revert_security": (
        "Read commit {commit} of {place}, the change of {service} at {at} UTC ({kind}), before anybody takes it back:"
        " its message speaks of security, so nothing is drafted. Owner: {owner}."
    ),
    "actions_revert_by_hand": (
        "Take back commit {commit} of {place}, the change of {service} at {at} UTC ({kind}), by hand if it is to go:"
        " what it changed is no plain text, too much or not told. Owner: {owner}."
    ),
    "actions_revert_unknown": (
        "Find out what was deployed: the change of {service} at {at} UTC ({kind}) names a commit, and {place} holds no"
        " such one of that day. Owner: {owner}."
    ),
    "actions_cause": (
        "Find out what changed in {service} by {at} UTC, when {metric} of {service} began to be unusual."
        " Owner: {owner}."
    ),
    "actions_no_cause": "Look into {service} by hand: the record names no cause. Owner: {owner}.",
    "actions_page": (
        "Let the alert on {metric} of {service} fire sooner: the page about {paged} at {page} UTC came {length} after"
        " the onset at {onset} UTC in {began} of {where}. Owner: {owner}."
    ),
    "actions_no_page": "Add an alert on {metric} of {service}: no page is recorded. Owner: {owner}.",
    "actions_unread": (
        "Repair how {signal} is kept: {count} records could not be read or were left out. Owner: {owner}."
    ),
    "links_runbook": "Runbook section {quote} in {file}, lines {first} to {last}.",
    "links_past": "Incident {incident} was alike ({file}): in both {shared}.",
    "links_run": "Incident {incident} of {service} was alike, as an earlier run read it: in both {shared}.",
    "actions_runbook": "Write a runbook section about {service}: none was found. Owner: {owner}.",
}
CAUSAL: Final = frozenset({"summary_cause", "summary_no_cause", "actions_no_cause"})
"""Kinds that speak of a cause."""
_LISTED: Final = {
    "causal": """
        cause caused causes causing causal because due culprit fault faulty blame blamed responsible root origin
        originated trigger triggered triggers led leads leading result resulted results resulting explains explained
        owing consequence therefore hence thus broke broken breaks
    """,
    "light": """
        a an the of in at on for to by from with and as it its this that these those there here was were is are has had
        have been be which while when during then so who people service services metric metrics about also shortly
        roughly incident seen recorded
    """,
    "pivots": """
        before after from to at by until within between again first last most fire sooner began begin went took came
        where failed did no not never none nobody nothing cannot without of in than
    """,
    "filled": "second seconds minute minutes hour hours unnamed lines log somebody nobody",
}
PIVOTS: Final = frozenset(_LISTED["pivots"].split())
"""Words around which a sentence turns: a rewritten one has them in the same places."""
CAUSAL_WORDS: Final = frozenset(_LISTED["causal"].split())
LIGHT: Final = frozenset(_LISTED["light"].split())
"""Words that a rewritten sentence may have beside its own."""
WORD: Final = re.compile(r"[^\W\d_]+")


def section(kind: str) -> str:
    """Give the section that a sentence of this kind stands in."""
    return kind.partition("_")[0]


def _words(template: str) -> frozenset[str]:
    return frozenset(WORD.findall(re.sub(r"\{\w+\}", " ", template).casefold()))


VOCABULARY: Final = frozenset[str]().union(*(_words(template) for template in TEMPLATES.values())) | frozenset(
    _LISTED["filled"].split()
)
