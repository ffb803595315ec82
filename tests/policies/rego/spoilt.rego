# Calls, data, and both with one part taken out or put in another form: which of these let more through than before.
# Evaluated by `opa eval` with {"names": [...]} of the calls to look at; `calls` and `facts` are for regorus, too.
package twokey.spoilt

import data.twokey
import data.twokey.fixtures

facts := object.union(fixtures.facts, {
	"listed_places": ["tickets"],
	"allowed_values": [{"tool": "open_pull_request", "path": "title", "values": ["x"], "resources": ["dbt"]}],
	"batches": [{
		"kind": "small",
		"tool": "open_pull_request",
		"labels": ["changes_policy"],
		"risks": ["normal"],
		"most": 2,
	}],
	"escalation": array.concat(fixtures.facts.escalation, [{"on": "label", "is": "novel", "group": "on-call"}]),
})

calls := {
	"read": fixtures.read,
	"write": fixtures.write,
	"unlisted label": but([["/change/labels", ["novel"]]]),
	"listed label": but([["/change/labels", ["changes_policy"]]]),
	"risky label": but([["/change/labels", ["changes_ci"]]]),
	"forbidden label": but([["/change/labels", ["mentions_people"]]]),
	"production": but([["/resource/environment", "production"]]),
	"staging": but([["/resource/environment", "staging"]]),
	"restricted": but([["/resource/id", "payments"]]),
	"mentioned place": but([["/change/mentioned", ["repository"]]]),
	"copied place": but([["/change/copied", ["base"]], ["/args/base", "main"]]),
	"value": but([["/args/title", "y"]]),
	"emergency": object.union(
		but([["/resource/environment", "production"]]),
		{"break_glass": {"id": "g-000000000001", "opened_by": "rita", "until_us": 50}},
	),
	"frozen": but([["/now_us", 150]]),
	"frozen production": but([["/now_us", 550], ["/resource/environment", "production"]]),
	"fields": but([["/change/fields", [{"kind": "personal", "count": 5}]]]),
	"fields of a class": but([["/change/fields", [{"kind": "personal", "count": 2}]], ["/resource/id", "payments"]]),
	"too many fields": but([["/change/fields", [{"kind": "personal", "count": 6}]]]),
	"large": but([["/change/files", [{"path": "a.yml", "added": 40, "removed": 1}]]]),
	"excepted": but([["/change/files", [{"path": "a.yml", "added": 40, "removed": 1}]], ["/exceptions", ["large_move"]]]),
	"used up": but([["/counters/run/proposals", 2]]),
	"costly": but([["/counters/day/cost", 1000]]),
	"untrusted": but([["/provenance/0/label", "untrusted"], ["/provenance/0/trusted", false]]),
	"doubted": but([["/provenance", array.concat(fixtures.write.provenance, [object.union(
		fixtures.origin("repository", "model"),
		{"trusted": false},
	)])]]),
}

but(changes) := json.patch(fixtures.write, [{"op": "add", "path": change[0], "value": change[1]} | some change in changes])

decide(call, known) := decision if {
	decision := twokey.decision with input as call with data.twokey_data as known
}

# -- what lets more through than before

loosened(before, after) if rank[after.effect] < rank[before.effect]

loosened(before, after) if {
	before.effect == "require_approval"
	after.effect == "require_approval"
	not as_strict(before.approvals, after.approvals)
}

rank := {"allow": 0, "require_approval": 1, "deny": 2}

# An answer that names no group, or no number of people, is no decision for Twokey.
as_strict(_, after) if {
	some asked in after.all_of
	not is_string(asked.group)
}

as_strict(before, after) if {
	every asked in before.all_of {
		some other in after.all_of
		other.group == asked.group
		other.n >= asked.n
	}
	every name in before.exclude {
		name in after.exclude
	}
	every proof in after.auth {
		proof in before.auth
	}
	after.expires_s <= before.expires_s
	object.get(after, "batch", null) in {null, object.get(before, "batch", null)}
}

# -- every key of every object in the data and in a call

# Below these keys stand names that a team chooses, and what is worked out; to take one out is an edit.
names := {"may_name", "risk_of_label", "risk_of_environment", "risk_of_class", "index", "scope", "args"}

ways(document) := {way |
	walk(document, [way, _])
	count(way) > 0
	is_string(way[count(way) - 1])
	every at, step in way {
		kept_apart(at, step, way)
	}
}

kept_apart(_, step, _) if not step in names

kept_apart(at, _, way) if at == count(way) - 1

pointer(way) := concat("", [sprintf("/%v", [step]) | some step in way])

# The document without one part, and with a part of another form in its place.
spoilt(document, way) := {changed |
	some change in [
		{"op": "remove", "path": pointer(way)},
		{"op": "replace", "path": pointer(way), "value": null},
		{"op": "replace", "path": pointer(way), "value": other_form(object.get(document, way, null))},
	]
	changed := json.patch(document, [change])
}

other_form(value) := 7 if is_string(value)

other_form(value) := "x" if not is_string(value)

answers := {name: decide(calls[name], facts) | some name in input.names}

data_loosened := {[name, way] |
	some name, before in answers
	some way in ways(facts)
	some known in spoilt(facts, way)
	loosened(before, decide(calls[name], known))
}

call_loosened := {[name, way] |
	some name, before in answers
	call := calls[name]
	some way in ways(call)
	some spoilt_call in spoilt(call, way)
	loosened(before, decide(spoilt_call, facts))
}
