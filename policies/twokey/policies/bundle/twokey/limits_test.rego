package twokey.limits_test

import data.twokey
import data.twokey.fixtures

decide(call) := decision if {
	decision := twokey.decision with input as call with data.twokey_data as fixtures.facts
}

codes(call) := {reason.code | some reason in decide(call).reasons}

denied(call) := found if {
	decision := decide(call)
	decision.effect == "deny"
	found := {reason.code | some reason in decision.reasons}
}

waits(call) if decide(call).effect == "require_approval"

groups(call) := {quorum.group | some quorum in decide(call).approvals.all_of}

write_to(id) := fixtures.but(fixtures.write, "/resource/id", id)

# -- classes of resources and kinds of fields

marks(id, kind, n) := fixtures.but(write_to(id), "/change/fields", [{"kind": kind, "count": n}])

test_fields_stay_within_the_limits_of_their_kind if {
	waits(marks("dbt", "personal", 5))
	denied(marks("dbt", "personal", 6)) == {"too_many_fields"}
	denied(marks("dbt", "personal", "5")) == {"too_many_fields"}
	every fields in [null, {}, {"a": {"kind": "personal", "count": 1}}, "many"] {
		denied(fixtures.but(fixtures.write, "/change/fields", fields)) == {"too_many_fields"}
	}
	every n in [null, true, "1"] {
		denied(marks("dbt", "personal", n)) == {"too_many_fields"}
	}
	two := [{"kind": "personal", "count": 1}, {"kind": "personal", "count": 6}]
	denied(fixtures.but(fixtures.write, "/change/fields", two)) == {"too_many_fields"}
}

test_a_class_of_resources_has_limits_of_its_own if {
	every id in ["payments", "team/churn/model"] {
		waits(marks(id, "personal", 1))
		denied(marks(id, "personal", 2)) == {"too_many_fields"}
	}
	waits(marks("team/churn/model", "secret", 9))
	denied(marks("team/churn/model", "secret", 10)) == {"too_many_fields"}
}

test_a_kind_of_field_without_a_limit_is_denied if {
	denied(marks("dbt", "secret", 0)) == {"too_many_fields"}
	denied(marks("dbt", "novel", 1)) == {"too_many_fields"}
}

test_a_class_raises_the_risk if {
	decide(write_to("payments")).approvals.all_of[0].n == 2
	codes(write_to("payments")) == {"escalated", "raised_quorum", "write_needs_people"}
	decide(write_to("payments2")).approvals.all_of[0].n == 1
	decide(write_to("team/churn/model")).approvals.all_of[0].n == 1
}

test_the_default_class_counts_where_no_other_does if {
	facts := object.union(fixtures.facts, {"default_class": "restricted"})
	plain := twokey.decision with input as fixtures.write with data.twokey_data as facts
	plain.approvals.all_of[0].n == 2
	named := twokey.decision with input as write_to("team/churn/model") with data.twokey_data as facts
	named.approvals.all_of[0].n == 1
}

test_a_class_of_another_kind_counts_for_nothing if {
	facts := object.union(fixtures.facts, {"index": {"classes": {"warehouse": {"ids": {"dbt": ["restricted"]}}}}})
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	decision.approvals.all_of[0].n == 1
}

# -- budgets

used(over, measure, n) := fixtures.but(fixtures.write, concat("/", ["/counters", over, measure]), n)

test_budgets_of_changes if {
	cases := [
		["run", "proposals", 1],
		["requester_hour", "files", 9],
		["hour", "lines", 95],
		["day", "writes", 19],
	]
	every case in cases {
		waits(used(case[0], case[1], case[2]))
		denied(used(case[0], case[1], case[2] + 1)) == {"budget_used"}
	}
	odd := [{"over": "run", "measure": "somebody", "most": 9}]
	counted := fixtures.but(fixtures.write, "/counters/run/somebody", 0)
	measured := twokey.decision with input as counted with data.twokey_data as object.union(fixtures.facts, {"budgets": odd})
	measured.effect == "deny"
	waits(used("run", "files", 9999))
	waits(used("hour", "proposals", 9999))
}

test_budgets_need_counters if {
	denied(fixtures.but(fixtures.write, "/counters", null)) == {"budget_used", "cost_used"}
	denied(json.remove(fixtures.write, ["counters/run/proposals"])) == {"budget_used"}
	denied(json.remove(fixtures.write, ["counters/day/cost"])) == {"cost_used"}
	denied(fixtures.but(fixtures.read, "/counters", null)) == {"cost_used"}
}

test_the_budget_of_cost_holds_for_reads_and_writes if {
	every call in [fixtures.read, fixtures.write] {
		denied(fixtures.but(call, "/counters/day/cost", 1000)) == {"cost_used"}
		decide(fixtures.but(call, "/counters/day/cost", 999)).effect != "deny"
	}
	decide(fixtures.but(fixtures.read, "/counters/run/proposals", 9999)).effect == "allow"
}

# -- freezes

at(now) := fixtures.but(fixtures.write, "/now_us", now)

test_a_freeze_holds_from_its_beginning_until_its_end if {
	every now in [100, 199, 300, 399] {
		denied(at(now)) == {"change_freeze"}
	}
	every now in [99, 200, 299, 400, 500] {
		waits(at(now))
	}
	denied(fixtures.but(fixtures.write, "/now_us", "now")) == {"change_freeze"}
}

test_a_freeze_covers_its_kinds_and_environments if {
	denied(fixtures.but(at(500), "/resource/environment", "production")) == {"change_freeze"}
	waits(fixtures.but(at(600), "/resource/environment", "production"))
	waits(fixtures.but(at(500), "/resource/environment", "staging"))
	facts := json.patch(fixtures.facts, [{"op": "replace", "path": "/freezes/1/kinds", "value": ["tickets"]}])
	elsewhere := twokey.decision with input as fixtures.but(at(500), "/resource/environment", "production")
		with data.twokey_data as facts
	elsewhere.effect == "require_approval"
}

test_a_freeze_stops_no_read if {
	decide(fixtures.but(fixtures.read, "/now_us", 150)).effect == "allow"
}

# -- exceptions

large := fixtures.but(fixtures.write, "/change/files/0/added", 50)

lifted := fixtures.but(large, "/exceptions", ["large_move"])

lifts(call, facts) if {
	decision := twokey.decision with input as call with data.twokey_data as facts
	decision.effect == "require_approval"
}

test_an_exception_lifts_its_rule_and_shows_itself if {
	denied(large) == {"too_large"}
	codes(lifted) == {"exception", "write_needs_people"}
	decide(lifted).warnings == ["exception"]
	decide(lifted).approvals == decide(fixtures.write).approvals
}

test_an_exception_that_lifts_nothing_shows_nothing if {
	decide(fixtures.but(fixtures.write, "/exceptions", ["large_move"])) == decide(fixtures.write)
}

test_an_exception_holds_until_it_ends if {
	waits(fixtures.but(lifted, "/now_us", 49))
	denied(fixtures.but(lifted, "/now_us", 50)) == {"too_large"}
}

test_an_exception_holds_in_its_scope_alone if {
	every change in [["/resource/id", "payments2"], ["/requester/name", "ben"]] {
		denied(fixtures.but(lifted, change[0], change[1])) == {"too_large"}
	}
	every scope in [{"tool": "update_ticket"}, {"kind": "tickets"}, {"novel": "dbt"}, {}] {
		patched := {"op": "replace", "path": "/exceptions/0/scope", "value": scope}
		not lifts(lifted, json.patch(fixtures.facts, [patched]))
	}
	patched := {"op": "replace", "path": "/exceptions/0/scope", "value": {"kind": "repository"}}
	lifts(lifted, json.patch(fixtures.facts, [patched]))
}

test_an_exception_lifts_only_its_rule_and_only_one_that_can_be_lifted if {
	both := fixtures.but(lifted, "/change/rollback", false)
	denied(both) == {"rollback_missing"}
	not lifts(lifted, object.union(fixtures.facts, {"waivable": ["R08"]}))
	other := {"op": "replace", "path": "/exceptions/0/rule", "value": "R09"}
	every_rule := {"op": "replace", "path": "/waivable", "value": ["R09", "R10"]}
	not lifts(lifted, json.patch(fixtures.facts, [other, every_rule]))
	untitled := fixtures.but(fixtures.but(fixtures.write, "/change/evidence", 0), "/exceptions", ["large_move"])
	not lifts(untitled, json.patch(fixtures.facts, [other, every_rule]))
}

test_each_rule_that_can_be_lifted_is if {
	cases := {
		"R08": fixtures.but(fixtures.write, "/change/rollback", false),
		"R10": large,
		"R22": marks("dbt", "novel", 1),
		"R23": used("run", "proposals", 2),
		"R24": used("day", "cost", 1000),
		"R25": at(150),
	}
	every rule, call in cases {
		changed := json.patch(fixtures.facts, [
			{"op": "replace", "path": "/exceptions/0/rule", "value": rule},
			{"op": "replace", "path": "/exceptions/0/until_us", "value": 1000},
		])
		not lifts(call, changed)
		lifts(fixtures.but(call, "/exceptions", ["large_move"]), changed)
	}
}

# -- escalation

test_further_groups_are_asked if {
	groups(fixtures.but(fixtures.write, "/change/labels", ["changes_policy"])) == {"platform-owners", "risk-owners"}
	codes(fixtures.but(fixtures.write, "/change/labels", ["changes_policy"])) == {"escalated", "write_needs_people"}
	groups(fixtures.but(fixtures.write, "/resource/environment", "staging")) == {"on-call", "platform-owners"}
	groups(write_to("payments")) == {"data-owners", "risk-owners"}
	facts := json.patch(fixtures.facts, [{"op": "replace", "path": "/escalation/1/is", "value": "repository"}])
	kind := twokey.decision with input as fixtures.write with data.twokey_data as facts
	{quorum.group | some quorum in kind.approvals.all_of} == {"on-call", "platform-owners"}
}

test_what_is_escalated_for_another_reason_is_not if {
	groups(fixtures.but(fixtures.write, "/change/labels", ["restricted", "tickets", "staging"])) == {"platform-owners"}
	groups(fixtures.but(fixtures.write, "/resource/environment", "changes_policy")) == {"platform-owners"}
	groups(fixtures.but(fixtures.write, "/resource/environment", "restricted")) == {"platform-owners"}
	groups(write_to("odd")) == {"platform-owners"}
}
