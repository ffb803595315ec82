package twokey.reasons_test

import data.twokey
import data.twokey.fixtures

decide(call) := decision if {
	decision := twokey.decision with input as call with data.twokey_data as fixtures.facts
}

write(path, value) := fixtures.but(fixtures.write, path, value)

read(path, value) := fixtures.but(fixtures.read, path, value)

# For each rule a call that it decides, or speaks about.
examples := {
	["R01", "not_covered", write("/change/labels", ["misspelt"])],
	["R02", "tool_not_listed", read("/version", "1.1")],
	["R03", "requester_unknown", read("/requester/groups", [])],
	["R04", "resource_not_granted", read("/resource/granted_by", "request")],
	["R05", "unknown_effect", read("/effect", "execute")],
	["R06", "kind_not_in_contract", read("/resource/kind", "repository")],
	["R07", "changes_sensitivity", write("/change/labels", ["changes_sensitivity"])],
	["R08", "rollback_missing", write("/change/rollback", false)],
	["R09", "evidence_missing", write("/change/evidence", 0)],
	["R10", "too_large", write("/change/files/0/added", 50)],
	["R11", "place_untrusted", write("/change/copied", ["repository"])],
	["R12", "place_without_provenance", write("/args/base", "main")],
	["R13", "argument_unlisted", write("/args/remote", "evil")],
	["R14", "read_in_contract", fixtures.read],
	["R15", "write_needs_people", fixtures.write],
	["R16", "resource_unclear", write("/resource/id", "..")],
	["R17", "names_unclear", read("/requester/name", "Ana")],
	["R18", "raised_quorum", write("/change/labels", ["changes_ci"])],
	["R19", "break_glass", write("/break_glass", {"until_us": 2})],
	["R20", "content_untrusted", write("/provenance/1/label", "model")],
	["R21", "content_without_provenance", write("/provenance/1/path", "heading")],
	["R22", "too_many_fields", write("/change/fields", [{"kind": "personal", "count": 6}])],
	["R23", "budget_used", write("/counters/run/proposals", 2)],
	["R24", "cost_used", write("/counters/day/cost", 1000)],
	["R25", "change_freeze", write("/now_us", 100)],
	["R26", "exception", fixtures.but(write("/change/files/0/added", 50), "/exceptions", ["large_move"])],
	["R27", "escalated", write("/change/labels", ["changes_policy"])],
}

test_each_rule_says_what_it_is if {
	every example in examples {
		some reason in decide(example[2]).reasons
		reason.rule == example[0]
		reason.code == example[1]
	}
}

# What is raised is raised above the usual risk, and not above any risk there is.
test_a_usual_risk_is_no_raised_one if {
	facts := object.union(fixtures.facts, {"default_risk": "high"})
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	{reason.rule | some reason in decision.reasons} == {"R15"}
}

test_no_rule_speaks_where_it_has_nothing_to_say if {
	spoken := {reason.rule | some reason in decide(fixtures.write).reasons}
	spoken == {"R15"}
}

# What writes have to say, reads do not: their contract may name arguments, too.
test_rules_about_writes_leave_reads_alone if {
	contract := {"kinds": ["warehouse"], "places": ["sql"], "content": ["sql", "more"]}
	facts := object.union(fixtures.facts, {"contracts": {"query_warehouse": contract}})
	every provenance in [[], [fixtures.origin("sql", "model")]] {
		call := json.patch(fixtures.read, [
			{"op": "replace", "path": "/args", "value": {"sql": "select 1", "other": "x"}},
			{"op": "replace", "path": "/provenance", "value": provenance},
		])
		decision := twokey.decision with input as call with data.twokey_data as facts
		decision.effect == "allow"
	}
}
