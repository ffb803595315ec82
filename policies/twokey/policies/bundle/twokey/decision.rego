# METADATA
# title: Twokey, one decision for one intended tool call
# description: >-
#   Rules of this bundle: what no rule covers is denied; one broken requirement denies; a write never gets allow; the
#   answer holds constants, group names from data and names of people that match a narrow pattern, and nothing else of
#   the input. No clock, network or randomness: the time comes in the input.
# scope: package
package twokey

# METADATA
# title: No rule covers the call
# description: The answer where no other rule gives one, for instance because the data lacks a risk that it names.
# entrypoint: true
# custom:
#   rule: R01
#   code: not_covered
default decision := {
	"effect": "deny",
	"approvals": null,
	"reasons": [{"code": "not_covered", "message": "No rule covers this call.", "rule": "R01"}],
	"obligations": [],
	"warnings": [],
}

decision := {
	"effect": "deny",
	"approvals": null,
	"reasons": [reason | some reason in deny],
	"obligations": [],
	"warnings": [],
} if {
	deny != set()
}

decision := {
	"effect": "allow",
	"approvals": null,
	"reasons": [reason | some reason in read_reasons],
	"obligations": [],
	"warnings": [],
} if {
	deny == set()
	input.effect == "read"
}

decision := {
	"effect": "require_approval",
	"approvals": approvals,
	"reasons": [reason | some reason in write_reasons],
	"obligations": [obligation | some obligation in obligations],
	"warnings": [warning | some warning in warnings],
} if {
	deny == set()
	input.effect == "write"
}

# METADATA
# title: A read inside its contract
# description: The tool, the requester and the resource were all granted, so the read may run.
# custom:
#   rule: R14
#   code: read_in_contract
read_reasons contains {
	"code": "read_in_contract",
	"message": "The read stays inside its contract.",
	"rule": "R14",
}

# METADATA
# title: Unknown effect
# description: A call either reads or writes; anything else is denied.
# custom:
#   rule: R05
#   code: unknown_effect
deny contains {
	"code": "unknown_effect",
	"message": "The call says neither that it reads nor that it writes.",
	"rule": "R05",
} if {
	not effect_known
}

effect_known if input.effect in {"read", "write"}
