# What is missing from the data or from the call, or has another form, never lets more through. OPA takes a look-up out
# of a negation (`not x in data.a.b` is undefined where `data.a.b` is), regorus does not: no rule may depend on either.
package twokey.missing_test

import data.twokey
import data.twokey.fixtures

decide(call, known) := decision if {
	decision := twokey.decision with input as call with data.twokey_data as known
}

codes(call, known) := {reason.code | some reason in decide(call, known).reasons}

# The answer once a part of the data is gone, or is `value`.
without(call, path) := codes(call, json.patch(fixtures.facts, [{"op": "remove", "path": path}]))

with_part(call, path, value) := codes(call, fixtures.but(fixtures.facts, path, value))

but(path, value) := fixtures.but(fixtures.write, path, value)

labelled := but("/change/labels", ["novel"])

in_production := but("/resource/environment", "production")

test_tables_that_ask_for_more_are_all_there if {
	every table in ["risk_of_environment", "risk_of_class", "risk_of_label", "risk_of_unlisted_label", "escalation"] {
		without(fixtures.write, concat("/", ["", table])) == {"not_covered"}
		with_part(fixtures.write, concat("/", ["", table]), null) == {"not_covered"}
		without(labelled, concat("/", ["", table])) == {"not_covered"}
	}
	every part in ["on", "is", "group"] {
		without(fixtures.write, concat("/", ["/escalation/0", part])) == {"not_covered"}
		with_part(fixtures.write, concat("/", ["/escalation/0", part]), 7) == {"not_covered"}
	}
	every on in ["elsewhere", "somebody", "", "labels"] {
		with_part(fixtures.write, "/escalation/0/on", on) == {"not_covered"}
	}
	every value in [{}, "", "none"] {
		with_part(fixtures.write, "/escalation", value) == {"not_covered"}
	}
}

# Texts stand between "" and [] in the order of all values. Both ends of it, where a rule asks for a text that way:
# a number is less than any text, so a budget of "" would hold whatever was used.
test_a_text_may_be_empty_and_a_list_is_none if {
	every part in ["is", "group"] {
		with_part(fixtures.write, concat("/", ["/escalation/0", part]), []) == {"not_covered"}
		not "not_covered" in with_part(fixtures.write, concat("/", ["/escalation/0", part]), "")
	}
	entry := fixtures.origin("title", "model")
	"argument_unlisted" in codes(but("/provenance/-", object.union(entry, {"path": []})), fixtures.facts)
	not "argument_unlisted" in codes(but("/provenance/-", object.union(entry, {"path": ""})), fixtures.facts)
	"budget_used" in with_part(fixtures.write, "/budgets/0/most", "")
}

test_an_environment_is_a_name if {
	every value in [null, 7, [], {}, true] {
		codes(but("/resource/environment", value), object.remove(fixtures.facts, ["freezes"])) == {"change_freeze"}
		known := object.union(fixtures.facts, {"freezes": []})
		codes(but("/resource/environment", value), known) == {"not_covered"}
	}
}

test_a_risk_without_numbers_is_no_risk if {
	every part in ["quorum", "expires_s"] {
		every value in [null, "x"] {
			with_part(labelled, concat("/", ["/risks/high", part]), value) == {"not_covered"}
		}
	}
}

test_a_label_whose_risk_is_no_name_is_unlisted if {
	policy := but("/change/labels", ["changes_policy"])
	with_part(policy, "/risk_of_label/changes_policy", 7) == {"not_covered"}
	unlisted := twokey.unlisted_labels with input as policy
		with data.twokey_data as fixtures.but(fixtures.facts, "/risk_of_label/changes_policy", 7)
	unlisted == {"changes_policy"}
}

test_a_place_that_is_mentioned_needs_a_list_of_kinds if {
	mentioned := but("/change/mentioned", ["repository"])
	"write_needs_people" in codes(mentioned, fixtures.facts)
	without(mentioned, "/listed_places") == {"place_untrusted"}
	with_part(mentioned, "/listed_places", null) == {"place_untrusted"}
	with_part(mentioned, "/listed_places", ["tickets"]) == {"place_untrusted"}
}

with_places(places) := fixtures.but(fixtures.facts, "/contracts/open_pull_request", {
	"kinds": ["repository"],
	"places": places,
	"content": [name | some name in ["repository", "base", "title", "files.path", "files.text"]; not name in places],
})

test_one_place_is_looked_at_and_none_needs_no_look if {
	codes(but("/change/copied", ["repository"]), with_places(["repository"])) == {"place_untrusted"}
	unlooked := json.patch(fixtures.write, [
		{"op": "remove", "path": "/change/copied"},
		{"op": "remove", "path": "/change/mentioned"},
	])
	codes(unlooked, with_places(["repository"])) == {"place_untrusted"}
	codes(unlooked, with_places([])) == {"write_needs_people"}
}

test_a_contract_names_places_and_content if {
	every part in ["places", "content"] {
		without(fixtures.write, concat("/", ["/contracts/open_pull_request", part])) == {"argument_unlisted"}
		with_part(fixtures.write, concat("/", ["/contracts/open_pull_request", part]), "x") == {"argument_unlisted"}
	}
	"argument_unlisted" in codes(but("/provenance/0/path", 7), fixtures.facts)
}

test_limits_are_numbers if {
	every part in ["files", "lines"] {
		with_part(fixtures.write, concat("/", ["/limits", part]), "x") == {"too_large"}
	}
	with_part(fixtures.write, "/budgets/0/most", "x") == {"budget_used"}
	with_part(fixtures.write, "/budgets/4/most", "x") == {"cost_used"}
	codes(but("/counters/day/cost", null), fixtures.facts) == {"cost_used"}
	without(fixtures.write, "/budgets/4/measure") == {"budget_used"}
}

test_budgets_are_a_list if {
	every value in [null, "x", 7, {}] {
		with_part(fixtures.write, "/budgets", value) == {"budget_used", "cost_used"}
		with_part(fixtures.read, "/budgets", value) == {"cost_used"}
	}
}

test_a_file_changes_no_less_than_nothing if {
	large := {"path": "b.yml", "added": 40, "removed": 0}
	every odd in [{"path": "a.yml", "added": -40, "removed": 0}, {"path": "a.yml", "added": 0, "removed": -40}] {
		codes(but("/change/files", [large, odd]), fixtures.facts) == {"budget_used", "too_large"}
	}
	none := {"path": "a.yml", "added": 0, "removed": 0}
	"write_needs_people" in codes(but("/change/files", [none]), fixtures.facts)
}

test_a_limit_of_fields_says_for_what if {
	five := but("/change/fields", [{"kind": "personal", "count": 5}])
	"write_needs_people" in codes(five, fixtures.facts)
	without(five, "/field_limits/2/kind") == {"too_many_fields"}
	without(five, "/field_limits/1/classes") == {"too_many_fields"}
	with_part(five, "/field_limits/1/classes", []) == {"too_many_fields"}
	with_part(five, "/field_limits/0/most", "x") == {"too_many_fields"}
	with_part(fixtures.write, "/field_limits", null) == {"too_many_fields"}
}

# -- freezes

test_a_freeze_that_does_not_say_when_or_for_what_holds if {
	with_part(fixtures.write, "/freezes", null) == {"change_freeze"}
	every part in ["windows", "windows/0/from_us"] {
		without(fixtures.write, concat("/", ["/freezes/0", part])) == {"change_freeze"}
	}
	with_part(fixtures.write, "/freezes/0/windows/0/from_us", "x") == {"change_freeze"}
	late := but("/now_us", 250)
	"write_needs_people" in codes(late, fixtures.facts)
	without(late, "/freezes/0/windows/0/until_us") == {"change_freeze"}
	with_part(late, "/freezes/0/windows/0/until_us", "x") == {"change_freeze"}
	cold := but("/now_us", 550)
	"write_needs_people" in codes(cold, fixtures.facts)
	every value in [null, "x", []] {
		with_part(cold, "/freezes/1/environments", value) == {"change_freeze"}
	}
	change_freeze := without(cold, "/freezes/1/environments")
	change_freeze == {"change_freeze"}
}

test_a_call_without_an_environment_is_inside_every_freeze if {
	nowhere := json.patch(fixtures.write, [{"op": "remove", "path": "/resource/environment"}])
	codes(fixtures.but(nowhere, "/now_us", 550), fixtures.facts) == {"change_freeze"}
	codes(nowhere, fixtures.facts) == {"not_covered"}
}

# -- emergencies and exceptions

test_an_emergency_has_a_time_and_a_number if {
	glass := {"id": "g-000000000001", "opened_by": "rita", "until_us": 50}
	urgent := fixtures.but(in_production, "/break_glass", glass)
	decide(urgent, fixtures.facts).approvals.all_of[0].n == 1
	every value in ["x", [], null] {
		without_end := fixtures.but(urgent, "/break_glass/until_us", value)
		decide(without_end, fixtures.facts).approvals.all_of[0].n == 2
	}
	with_part(urgent, "/break_glass/quorum", "x") == {"not_covered"}
	with_part(urgent, "/break_glass/quorum", null) == {"not_covered"}
}

test_an_exception_has_an_end if {
	large := but("/change/files", [{"path": "a.yml", "added": 40, "removed": 0}])
	excepted := fixtures.but(large, "/exceptions", ["large_move"])
	"exception" in codes(excepted, fixtures.facts)
	with_part(excepted, "/exceptions/0/until_us", "x") == {"too_large"}
	"too_large" in codes(fixtures.but(excepted, "/now_us", null), fixtures.facts)
}

test_without_a_time_no_emergency_holds if {
	glass := {"id": "g-000000000001", "opened_by": "rita", "until_us": 50}
	timeless := fixtures.but(fixtures.but(in_production, "/break_glass", glass), "/now_us", null)
	quorum := twokey.quorum with input as timeless with data.twokey_data as fixtures.facts
	quorum == 2
}

# -- values

listing(changes) := [object.union(
	{"tool": "open_pull_request", "path": "title", "values": ["x"], "resources": ["dbt"]},
	changes,
)]

allowing(call, changes) := with_part(call, "/allowed_values", listing(changes))

test_a_list_of_values_says_of_what if {
	"write_needs_people" in allowing(fixtures.write, {})
	allowing(but("/args/title", "y"), {}) == {"value_not_allowed"}
	every wrong in [{"tool": 7}, {"values": "x"}, {"resources": "x"}, {"values": {"a": "x"}}, {"resources": {"a": "b"}}] {
		allowing(fixtures.write, wrong) == {"value_not_allowed"}
	}
	every part in ["tool", "path", "values", "resources"] {
		known := json.patch(
			fixtures.but(fixtures.facts, "/allowed_values", listing({})),
			[{"op": "remove", "path": concat("/", ["/allowed_values/0", part])}],
		)
		"value_not_allowed" in codes(but("/args/title", "y"), known)
	}
}

test_what_lies_in_a_list_cannot_be_listed if {
	allowing(fixtures.write, {"path": "files.path"}) == {"value_not_allowed"}
	allowing(fixtures.write, {"path": "title.add"}) == {"value_not_allowed"}
	"write_needs_people" in allowing(fixtures.write, {"path": "base.add"})
	"write_needs_people" in allowing(fixtures.write, {"path": "body.add.more"})
}
