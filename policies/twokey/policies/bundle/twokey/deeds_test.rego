package twokey.deeds_test

import data.twokey
import data.twokey.fixtures

denied(call, facts) := found if {
	decision := twokey.decision with input as call with data.twokey_data as object.union(fixtures.facts, facts)
	decision.effect == "deny"
	found := {reason.code | some reason in decision.reasons}
}

waits(call, facts) if {
	decision := twokey.decision with input as call with data.twokey_data as object.union(fixtures.facts, facts)
	decision.effect == "require_approval"
}

labelled(labels) := fixtures.but(fixtures.write, "/change/labels", labels)

test_a_forbidden_kind_of_change_is_denied_beside_any_other if {
	waits(labelled(["changes_ci"]), {})
	denied(labelled(["mentions_people"]), {}) == {"forbidden_change"}
	denied(labelled(["changes_ci", "mentions_people"]), {}) == {"forbidden_change"}
	waits(labelled(["mentions_people"]), {"forbidden_changes": []})
}

rules(call, facts) := {reason.rule |
	decision := twokey.decision with input as call with data.twokey_data as object.union(fixtures.facts, facts)
	some reason in decision.reasons
}

test_each_says_by_which_rule if {
	rules(labelled(["mentions_people"]), {}) == {"R28"}
	rules(titled("z"), listed({})) == {"R29"}
}

test_what_cannot_be_told_is_denied if {
	"forbidden_change" in denied(labelled(null), {})
	"forbidden_change" in denied(fixtures.write, {"forbidden_changes": null})
	"value_not_allowed" in denied(fixtures.write, {"allowed_values": null})
}

test_a_read_is_no_change if {
	decision := twokey.decision with input as object.union(fixtures.read, {
		"effect": "read",
		"resource": {"granted_by": "config"},
	})
		with data.twokey_data as object.union(fixtures.facts, {"forbidden_changes": null, "allowed_values": null})
	decision.effect == "allow"
}

titled(title) := fixtures.but(fixtures.write, "/args/title", title)

listed(entry) := {"allowed_values": [object.union(
	{"tool": "open_pull_request", "path": "title", "values": ["x", "y"], "resources": []},
	entry,
)]}

test_a_listed_argument_takes_listed_values if {
	every title in ["x", "y", null, [], ["x"], ["x", "y"]] {
		waits(titled(title), listed({}))
	}
	every title in ["z", ["z"], ["x", "z"], [["x"]], {"x": "x"}, 1, false, ""] {
		denied(titled(title), listed({})) == {"value_not_allowed"}
	}
	denied(titled("x"), listed({"values": []})) == {"value_not_allowed"}
	denied(titled("x"), listed({"values": null})) == {"value_not_allowed"}
	waits(titled("x"), {"allowed_values": []})
}

test_dots_lead_into_an_argument if {
	waits(titled({"add": ["x"]}), listed({"path": "title.add"}))
	waits(titled({"remove": ["z"]}), listed({"path": "title.add"}))
	denied(titled({"add": ["x", "z"]}), listed({"path": "title.add"})) == {"value_not_allowed"}
}

test_another_tool_or_resource_is_not_meant if {
	waits(titled("z"), listed({"tool": "close_pull_request"}))
	waits(titled("z"), listed({"resources": ["payments", "orders"]}))
	waits(titled("z"), listed({"resources": ["payments"]}))
	denied(titled("z"), listed({"resources": ["payments", "dbt"]})) == {"value_not_allowed"}
	denied(titled("z"), listed({"resources": null})) == {"value_not_allowed"}
}

test_every_entry_counts if {
	two := [
		{"tool": "open_pull_request", "path": "title", "values": ["x"], "resources": []},
		{"tool": "open_pull_request", "path": "base", "values": [], "resources": []},
	]
	waits(titled("x"), {"allowed_values": two})
	"value_not_allowed" in denied(fixtures.but(titled("x"), "/args/base", "main"), {"allowed_values": two})
	denied(titled("z"), {"allowed_values": two}) == {"value_not_allowed"}
}
