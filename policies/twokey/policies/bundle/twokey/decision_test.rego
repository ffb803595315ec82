package twokey.tests

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

test_a_read_inside_its_contract_is_allowed if {
	decide(fixtures.read) == {
		"effect": "allow",
		"approvals": null,
		"reasons": [{"code": "read_in_contract", "message": "The read stays inside its contract.", "rule": "R14"}],
		"obligations": [],
		"warnings": [],
	}
}

test_a_write_waits_for_people if {
	decide(fixtures.write) == {
		"effect": "require_approval",
		"approvals": {
			"all_of": [{"group": "platform-owners", "n": 1}],
			"exclude": ["ana", "ben"],
			"distinct": true,
			"expires_s": 86400,
			"max_uses": 1,
			"binds": ["proposal_digest", "decision_digest"],
			"auth": ["key", "slack"],
		},
		"reasons": [{
			"code": "write_needs_people",
			"message": "A write needs people of the owning group.",
			"rule": "R15",
		}],
		"obligations": [],
		"warnings": [],
	}
}

test_nothing_is_denied if {
	call := {}
	denied(call)
	denied(null)
	denied([])
	denied("read")
}

test_no_write_is_ever_allowed if {
	every change in [{}, fixtures.write.change, null] {
		every args in [{}, fixtures.write.args] {
			call := object.union(fixtures.write, {"change": change, "args": args})
			decide(call).effect != "allow"
		}
	}
}

test_a_risk_that_the_table_lacks_is_denied if {
	denied(fixtures.but(fixtures.write, "/change/labels", ["misspelt"])) == {"not_covered"}
}

test_a_risk_that_says_half_is_denied if {
	every half in [{"quorum": 1}, {"expires_s": 60}] {
		facts := json.patch(fixtures.facts, [{"op": "add", "path": "/risks/hihg", "value": half}])
		decision := twokey.decision with input as fixtures.but(fixtures.write, "/change/labels", ["misspelt"])
			with data.twokey_data as facts
		decision.effect == "deny"
	}
}

test_an_unknown_effect_is_denied if {
	every effect in ["execute", "somebody", "", null] {
		"unknown_effect" in denied(fixtures.but(fixtures.read, "/effect", effect))
	}
	"unknown_effect" in denied(json.remove(fixtures.read, ["effect"]))
}

test_a_tool_is_listed_with_exactly_its_version_schema_and_effect if {
	every change in [
		["/tool", "query_warehouses"],
		["/version", "1.1"],
		["/tool_schema", "ff"],
		["/effect", "write"],
	] {
		"tool_not_listed" in denied(fixtures.but(fixtures.read, change[0], change[1]))
	}
}

test_a_tool_touches_only_kinds_of_its_contract if {
	denied(fixtures.but(fixtures.read, "/resource/kind", "repository")) == {"kind_not_in_contract"}
	denied(fixtures.but(fixtures.read, "/resource/kind", "mainframe")) == {"kind_not_in_contract"}
}

test_a_stranger_is_denied if {
	denied(fixtures.but(fixtures.read, "/requester/groups", [])) == {"requester_unknown"}
	denied(fixtures.but(fixtures.read, "/requester/groups", ["strangers"])) == {"requester_unknown"}
}

test_names_of_people_fit_the_pattern if {
	denied(fixtures.but(fixtures.read, "/requester/name", "Ana\n")) == {"names_unclear"}
	denied(fixtures.but(fixtures.write, "/requester/name", "ana\n")) == {"names_unclear"}
	denied(fixtures.but(fixtures.write, "/change/contributors", ["ana", "<b>"])) == {"names_unclear"}
	denied(fixtures.but(fixtures.write, "/change/contributors", null)) == {"names_unclear"}
}

test_a_named_target_needs_a_group_that_may_name_it if {
	named := fixtures.but(fixtures.read, "/resource/granted_by", "request")
	denied(named) == {"resource_not_granted"}
	decide(fixtures.but(named, "/requester/groups", ["data-owners"])).effect == "allow"
	denied(fixtures.but(fixtures.read, "/resource/granted_by", "model")) == {"resource_not_granted"}
	modelled := fixtures.but(fixtures.read, "/resource/granted_by", "model")
	denied(fixtures.but(modelled, "/requester/groups", ["data-owners"])) == {"resource_not_granted"}
	denied(fixtures.but(fixtures.write, "/resource/granted_by", "request")) == {"resource_not_granted"}
}

test_a_dotted_resource_is_denied if {
	every id in ["../dbt", "team/churn/../payments", "team/./churn", ".."] {
		denied(fixtures.but(fixtures.write, "/resource/id", id)) == {"resource_unclear"}
	}
	every id in ["somebody", "team/somebody/.git", "...", "a..b"] {
		decide(fixtures.but(fixtures.write, "/resource/id", id)).effect == "require_approval"
	}
}

test_a_write_has_a_way_back if {
	denied(fixtures.but(fixtures.write, "/change/rollback", false)) == {"rollback_missing"}
	denied(fixtures.but(fixtures.write, "/change/rollback", "yes")) == {"rollback_missing"}
}

test_a_write_rests_on_evidence if {
	denied(fixtures.but(fixtures.write, "/change/evidence", 0)) == {"evidence_missing"}
	denied(fixtures.but(fixtures.write, "/change/evidence", "many")) == {"evidence_missing"}
}

test_a_write_stays_small if {
	file := {"path": "a", "added": 3, "removed": 2}
	decide(fixtures.but(fixtures.write, "/change/files", [file, file])).effect == "require_approval"
	denied(fixtures.but(fixtures.write, "/change/files", [file, file, file])) == {"too_large"}
	tiny := {"path": "a", "added": 1, "removed": 0}
	denied(fixtures.but(fixtures.write, "/change/files", [tiny, tiny, tiny])) == {"too_large"}
	larger := {"path": "a", "added": 4, "removed": 2}
	denied(fixtures.but(fixtures.write, "/change/files", [file, larger])) == {"too_large"}
	denied(fixtures.but(fixtures.write, "/change/files", [{"path": "a", "added": 1}])) == {"budget_used", "too_large"}
	denied(fixtures.but(fixtures.write, "/change/files", null)) == {"budget_used", "too_large"}
	denied(fixtures.but(fixtures.write, "/change/files", {"a": tiny})) == {"too_large"}
}

test_every_argument_is_known if {
	denied(fixtures.but(fixtures.write, "/args/remote", "evil")) == {"argument_unlisted"}
	denied(fixtures.but(fixtures.write, "/args", [])) == {"argument_unlisted"}
}

test_a_place_says_where_it_came_from if {
	sound := fixtures.write.provenance
	denied(fixtures.but(fixtures.write, "/provenance", array.slice(sound, 1, 4))) == {"place_without_provenance"}
	denied(fixtures.but(fixtures.write, "/args/base", "main")) == {"place_without_provenance"}
	parent := [fixtures.origin("repository", "config"), fixtures.origin("files", "code"), sound[1]]
	decide(fixtures.but(fixtures.write, "/provenance", parent)).effect == "require_approval"
}

test_untrusted_text_and_models_decide_no_place if {
	every path in ["repository", "files", "files.path", "files.path.0"] {
		every label in ["model", "untrusted", "somebody"] {
			entry := fixtures.origin(path, label)
			"place_untrusted" in denied(fixtures.but(fixtures.write, "/provenance/-", entry))
		}
	}
	other := fixtures.origin("repositoryx", "untrusted")
	decide(fixtures.but(fixtures.write, "/provenance/-", other)).effect == "require_approval"
}

test_a_place_may_come_from_each_of_the_good_sources if {
	every label in ["request", "config", "code", "evidence"] {
		entry := object.union(fixtures.origin("repository", label), {"same_resource": false})
		decide(fixtures.but(fixtures.write, "/provenance/-", entry)).effect == "require_approval"
	}
}

test_content_may_come_from_each_of_the_good_sources if {
	every label in ["request", "config", "code", "evidence"] {
		decide(fixtures.but(fixtures.write, "/provenance/-", fixtures.origin("title", label))).effect == "require_approval"
	}
}

test_who_asked_cannot_approve_even_if_they_are_no_contributor if {
	decide(fixtures.but(fixtures.write, "/change/contributors", [])).approvals.exclude == ["ana"]
	decide(fixtures.but(fixtures.write, "/change/contributors", ["ben"])).approvals.exclude == ["ana", "ben"]
}

test_a_place_rests_on_trusted_evidence_or_on_the_resource_itself if {
	every label in ["request", "config", "code", "evidence"] {
		entry := object.union(fixtures.origin("repository", label), {"trusted": false, "same_resource": false})
		denied(fixtures.but(fixtures.write, "/provenance/-", entry)) == {"place_untrusted"}
		denied(fixtures.but(fixtures.write, "/provenance/-", json.remove(entry, ["trusted"]))) == {"place_untrusted"}
	}
	own := object.union(fixtures.origin("files.path", "code"), {"trusted": false})
	decide(fixtures.but(fixtures.write, "/provenance/-", own)).effect == "require_approval"
	every label in ["request", "config", "evidence"] {
		entry := object.union(own, {"label": label})
		denied(fixtures.but(fixtures.write, "/provenance/-", entry)) == {"place_untrusted"}
	}
}

test_a_place_that_untrusted_evidence_names_is_denied_whatever_its_label_says if {
	every path in ["repository", "files", "files.path", "files.path.a"] {
		denied(fixtures.but(fixtures.write, "/change/copied", [path])) == {"place_untrusted"}
	}
	every path in ["title", "files.text", "base", "repositoryx"] {
		decide(fixtures.but(fixtures.write, "/change/copied", [path])).effect == "require_approval"
	}
	denied(fixtures.but(fixtures.write, "/change/copied", null)) == {"place_untrusted"}
	denied(fixtures.but(fixtures.write, "/change/mentioned", null)) == {"place_untrusted"}
}

test_a_place_that_the_resource_lists_passes_where_its_kind_may_list_places if {
	mentioned := fixtures.but(fixtures.write, "/change/mentioned", ["files.path"])
	decide(mentioned).effect == "require_approval"
	elsewhere := twokey.decision with input as mentioned
		with data.twokey_data as object.union(fixtures.facts, {"listed_places": ["tickets"]})
	elsewhere.effect == "deny"
	{reason.code | some reason in elsewhere.reasons} == {"place_untrusted"}
}

test_content_says_where_it_came_from if {
	sound := fixtures.write.provenance
	denied(fixtures.but(fixtures.write, "/provenance", array.slice(sound, 0, 3))) == {"content_without_provenance"}
	decide(fixtures.but(fixtures.write, "/args/body", "x")).effect == "require_approval"
	untitled := array.concat(array.slice(sound, 0, 1), array.slice(sound, 2, 4))
	titleless := fixtures.but(fixtures.write, "/provenance", untitled)
	denied(titleless) == {"content_without_provenance"}
	decide(fixtures.but(titleless, "/args/title", null)).effect == "require_approval"
}

test_untrusted_text_and_models_decide_no_content if {
	every path in ["title", "files.text", "files.text.0"] {
		every label in ["model", "untrusted", "somebody"] {
			entry := fixtures.origin(path, label)
			denied(fixtures.but(fixtures.write, "/provenance/-", entry)) == {"content_untrusted"}
		}
	}
	resting := object.union(fixtures.origin("title", "evidence"), {"trusted": false, "same_resource": false})
	decide(fixtures.but(fixtures.write, "/provenance/-", resting)).effect == "require_approval"
}

test_what_the_contract_quotes_may_be_anybodys_words if {
	quoted := fixtures.but(fixtures.write, "/args/body", "x")
	entry := fixtures.origin("body", "untrusted")
	decide(fixtures.but(quoted, "/provenance/-", entry)).effect == "require_approval"
	facts := json.remove(fixtures.facts, ["contracts/open_pull_request/quotes"])
	unquoted := twokey.decision with input as fixtures.but(quoted, "/provenance/-", entry) with data.twokey_data as facts
	unquoted.effect == "deny"
	{reason.code | some reason in unquoted.reasons} == {"content_untrusted"}
}

test_owners if {
	expected := {
		"dbt": {"platform-owners"},
		"payments": {"data-owners", "risk-owners"},
		"payments2": {"platform-owners"},
		"team/churn": {"platform-owners"},
		"team/churn/model": {"churn-owners"},
		"team/churn/secret": {"churn-owners", "data-owners"},
		"team/churn/secret/part": {"churn-owners"},
		"/srv/dbt": {"members"},
		"zahlungen-ä": {"data-owners"},
		"zahlungen-ä/b": {"platform-owners"},
		"ä": {"platform-owners"},
		"ä/b": {"churn-owners"},
	}
	every id, groups in expected {
		all_of := decide(fixtures.but(fixtures.write, "/resource/id", id)).approvals.all_of
		{quorum.group | some quorum in all_of} == groups
	}
}

test_nobody_decides_without_the_index if {
	every part in ["index", "index/owners", "index/classes"] {
		facts := json.remove(fixtures.facts, [part])
		decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
		decision.effect == "deny"
	}
}

test_an_argument_is_listed_for_its_own_tool_only if {
	facts := json.patch(fixtures.facts, [{
		"op": "replace",
		"path": "index/arguments",
		"value": {"query_warehouse": ["base", "files", "repository", "title"], "open_pull_request": ["base"]},
	}])
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	{reason.code | some reason in decision.reasons} == {"argument_unlisted"}
}

test_sensitivity_gives_its_reason if {
	codes(fixtures.but(fixtures.write, "/change/labels", ["changes_sensitivity"])) == {
		"changes_sensitivity",
		"write_needs_people",
	}
}

test_a_proof_counts_where_every_risk_admits_it if {
	decide(fixtures.write).approvals.auth == ["key", "slack"]
	decide(fixtures.but(fixtures.write, "/change/labels", ["changes_ci"])).approvals.auth == ["key"]
	decide(fixtures.but(fixtures.write, "/change/labels", ["changes_sensitivity"])).approvals.auth == ["key", "slack"]
}

test_policy_may_admit_github_and_never_by_default if {
	facts := json.patch(fixtures.facts, [{"op": "add", "path": "/risks/normal/auth", "value": ["github", "key"]}])
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	decision.approvals.auth == ["key", "github"]
}

test_a_risk_that_says_nothing_of_proofs_admits_keys_alone if {
	facts := json.remove(fixtures.facts, ["/risks/normal/auth"])
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	decision.approvals.auth == ["key"]
}

test_a_raised_risk_asks_more_people_and_less_time if {
	every call in [
		fixtures.but(fixtures.write, "/change/labels", ["changes_ci"]),
		fixtures.but(fixtures.write, "/resource/environment", "production"),
	] {
		decision := decide(call)
		decision.approvals.all_of == [{"group": "platform-owners", "n": 2}]
		decision.approvals.expires_s == 3600
		codes(call) == {"raised_quorum", "write_needs_people"}
		decision.warnings == []
	}
}

test_an_unlisted_label_warns_and_counts if {
	decision := decide(fixtures.but(fixtures.write, "/change/labels", ["novel"]))
	decision.warnings == ["unlisted_label"]
	decision.approvals.all_of == [{"group": "platform-owners", "n": 2}]
}

test_without_an_owner_nothing_is_asked_and_nothing_runs if {
	facts := json.remove(fixtures.facts, ["default_owner"])
	decision := twokey.decision with input as fixtures.write with data.twokey_data as facts
	decision.effect == "deny"
	decision.reasons[0].code == "not_covered"
}

# An emergency for a write that usually needs two people, while it lasts.
urgent := json.patch(fixtures.write, [
	{"op": "add", "path": "/change/labels", "value": ["changes_ci"]},
	{"op": "add", "path": "/break_glass", "value": {"id": "g-000000000001", "opened_by": "rita", "until_us": 2}},
])

test_an_emergency_asks_fewer_people_and_a_review if {
	decide(fixtures.but(fixtures.write, "/change/labels", ["changes_ci"])).approvals.all_of[0].n == 2
	decision := decide(urgent)
	decision.approvals.all_of == [{"group": "platform-owners", "n": 1}]
	decision.approvals.exclude == ["ana", "ben"]
	decision.obligations == ["review_break_glass"]
	"break_glass" in decision.warnings
	"break_glass" in codes(urgent)
}

test_an_emergency_that_is_over_changes_nothing if {
	over := fixtures.but(urgent, "/break_glass/until_us", 1)
	decide(over) == decide(fixtures.but(urgent, "/break_glass", null))
}

test_an_emergency_never_asks_more_people_than_usual if {
	one := fixtures.but(urgent, "/change/labels", [])
	decision := decide(one) with data.twokey_data.break_glass.quorum as 9
	decision.approvals.all_of[0].n == 1
}

test_an_emergency_allows_nothing_that_is_denied if {
	denied(fixtures.but(urgent, "/change/rollback", false)) == {"rollback_missing"}
}
