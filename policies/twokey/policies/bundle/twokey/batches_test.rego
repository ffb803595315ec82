package twokey.batches_test

import data.twokey
import data.twokey.fixtures

rule := {
	"kind": "adds_tests",
	"tool": "open_pull_request",
	"labels": ["adds_files", "edits_files", "changes_policy"],
	"risks": ["normal"],
	"most": 12,
}

looser := object.union(rule, {"kind": "anything", "labels": ["changes_ci", "adds_files"], "most": 2})

facts(rules) := object.union(fixtures.facts, {
	"batches": rules,
	"risk_of_label": object.union(fixtures.facts.risk_of_label, {"adds_files": "normal", "edits_files": "normal"}),
})

decide(call, rules) := decision if {
	decision := twokey.decision with input as call with data.twokey_data as facts(rules)
}

labelled(labels) := fixtures.but(fixtures.write, "/change/labels", labels)

batch_of(call, rules) := object.get(decide(call, rules).approvals, "batch", "alone")

speaks(call, rules) if {
	some reason in decide(call, rules).reasons
	reason == {
		"code": "answered_in_batch",
		"message": "May be answered together with others of its kind.",
		"rule": "R30",
	}
}

test_what_the_data_names_may_be_answered_together if {
	every labels in [["adds_files"], ["edits_files", "adds_files"]] {
		batch_of(labelled(labels), [rule]) == {"kind": "adds_tests", "most": 12}
		speaks(labelled(labels), [rule])
	}
	decide(labelled(["adds_files"]), [rule]).approvals.all_of == [{"group": "platform-owners", "n": 1}]
}

test_the_first_rule_that_fits_counts if {
	batch_of(labelled(["adds_files"]), [rule, looser]).kind == "adds_tests"
	batch_of(labelled(["adds_files"]), [looser, rule]) == {"kind": "anything", "most": 2}
}

test_whatever_else_a_write_is_makes_it_one_to_answer_alone if {
	every labels in [[], ["adds_files", "changes_sensitivity"], ["deletes_files"], ["adds_files", "deletes_files"]] {
		batch_of(labelled(labels), [rule]) == "alone"
		not speaks(labelled(labels), [rule])
	}
	batch_of(labelled(["adds_files"]), [object.union(rule, {"tool": "update_ticket"})]) == "alone"
	batch_of(labelled(["adds_files"]), []) == "alone"
	batch_of(labelled(["adds_files"]), null) == "alone"
}

test_a_higher_risk_is_answered_alone if {
	wide := object.union(rule, {"labels": ["adds_files", "changes_ci", "novel"]})
	batch_of(labelled(["adds_files"]), [wide]).kind == "adds_tests"
	every labels in [["changes_ci"], ["adds_files", "changes_ci"], ["novel"]] {
		batch_of(labelled(labels), [wide]) == "alone"
	}
	production := fixtures.but(labelled(["adds_files"]), "/resource/environment", "production")
	batch_of(production, [wide]) == "alone"
	batch_of(production, [object.union(wide, {"risks": ["normal", "high"]})]).kind == "adds_tests"
}

test_where_further_groups_are_asked_it_is_answered_alone if {
	batch_of(labelled(["changes_policy"]), [rule]) == "alone"
	batch_of(fixtures.but(labelled(["adds_files"]), "/resource/environment", "staging"), [rule]) == "alone"
}

test_in_an_emergency_it_is_answered_alone if {
	batch_of(fixtures.but(labelled(["adds_files"]), "/break_glass", {"until_us": 2}), [rule]) == "alone"
}

test_a_read_and_a_denied_write_are_no_batch if {
	decide(fixtures.read, [rule]).approvals == null
	decide(fixtures.but(labelled(["adds_files"]), "/change/evidence", 0), [rule]).approvals == null
}
