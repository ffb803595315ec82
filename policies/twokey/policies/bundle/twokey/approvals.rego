package twokey

# The quorum is bound in the body: undefined inside the comprehension it would give an empty list instead of no answer.
approvals := object.union(needed, batching)

needed := {
	"all_of": [{"group": group, "n": n} | some group in owning_groups],
	"exclude": [name | some name in people],
	"distinct": true,
	"expires_s": expires_s,
	"max_uses": 1,
	"binds": ["proposal_digest", "decision_digest"],
	"auth": proofs,
} if {
	tables_whole
	count(owning_groups) > 0
	n := quorum
}

# Tables that ask for more where something matches. Where one is missing, or the environment is, nothing would.
tables_whole if {
	is_string(input.resource.environment)
	is_object(concerned)
	is_object(data.twokey_data.risk_of_environment)
	is_object(data.twokey_data.risk_of_class)
	is_object(data.twokey_data.risk_of_label)
	is_string(data.twokey_data.risk_of_unlisted_label)
	is_array(data.twokey_data.escalation)
	every entry in data.twokey_data.escalation {
		entry.on in {"label", "kind", "class", "environment"}
		is_string(entry.is)
		is_string(entry.group)
	}
}

# Who shaped the write: none of them can approve it.
people contains name if name := input.requester.name

people contains name if some name in input.change.contributors

owning_groups := owners | escalated

# Every entry that matches counts, so an added entry can only ask for more. Without the index nobody is known to own
# anything, so there is no answer (R01).
owners := named_owners if count(named_owners) > 0

owners := {group} if {
	is_object(data.twokey_data.index.owners)
	count(named_owners) == 0
	group := data.twokey_data.default_owner
}

named_owners contains group if {
	known := data.twokey_data.index.owners[input.resource.kind]
	some group in named_in(known)
}

# In an emergency fewer people are asked, never more than without it.
quorum := usual_quorum if not emergency

quorum := fewer if {
	emergency
	limit := data.twokey_data.break_glass.quorum
	is_number(limit)
	fewer := min([usual_quorum, limit])
}

emergency if {
	is_number(input.now_us)
	is_number(input.break_glass.until_us)
	input.now_us < input.break_glass.until_us
}

# The strictest of all risks that apply. A risk that the table lacks leaves these undefined, which denies (R01).
# Look-ups stand in bodies, never in heads: where one is undefined in a head, regorus drops what the rule found before.
usual_quorum := max(quorums) if {
	count(resource_classes) > 0
	quorums := [n | some risk in risks; n := data.twokey_data.risks[risk].quorum; is_number(n)]
	count(quorums) == count(risks)
}

expires_s := min(times) if {
	times := [seconds | some risk in risks; seconds := data.twokey_data.risks[risk].expires_s; is_number(seconds)]
	count(times) == count(risks)
}

# What counts as proof that an approval is somebody's: what every risk that applies admits. A risk that says nothing
# admits keys alone.
proofs := [proof | some proof in known_proofs; not unproven[proof]]

known_proofs := ["key", "slack", "github", "oidc"]

unproven contains proof if {
	some risk in risks
	admitted := object.get(data.twokey_data.risks[risk], "auth", ["key"])
	some proof in known_proofs
	not proof in admitted
}

risks contains risk if risk := data.twokey_data.default_risk

risks contains risk if risk := data.twokey_data.risk_of_environment[input.resource.environment]

risks contains risk if {
	some class in resource_classes
	risk := data.twokey_data.risk_of_class[class]
}

risks contains risk if {
	some label in input.change.labels
	risk := data.twokey_data.risk_of_label[label]
}

risks contains risk if {
	count(unlisted_labels) > 0
	risk := data.twokey_data.risk_of_unlisted_label
}

unlisted_labels contains label if {
	some label in input.change.labels
	not label_listed(label)
}

label_listed(label) if is_string(data.twokey_data.risk_of_label[label])

# METADATA
# title: A label that the data does not list
# description: The write carries a label without a risk of its own; it counts with the risk of unlisted labels.
# custom:
#   code: unlisted_label
warnings contains "unlisted_label" if count(unlisted_labels) > 0

# METADATA
# title: A write needs people
# description: People of the owning group decide on each write; the requester and contributors are not among them.
# custom:
#   rule: R15
#   code: write_needs_people
write_reasons contains {
	"code": "write_needs_people",
	"message": "A write needs people of the owning group.",
	"rule": "R15",
}

# METADATA
# title: Changes sensitivity tags
# description: The write changes what is marked as personal or secret.
# custom:
#   rule: R07
#   code: changes_sensitivity
write_reasons contains {
	"code": "changes_sensitivity",
	"message": "Changes sensitivity tags.",
	"rule": "R07",
} if {
	"changes_sensitivity" in input.change.labels
}

# METADATA
# title: More people than usual
# description: A label, the class of the resource or the environment raises the risk, so more people have to say yes.
# custom:
#   rule: R18
#   code: raised_quorum
write_reasons contains {
	"code": "raised_quorum",
	"message": "A label, the class of the resource or the environment raises the risk, so more people are asked.",
	"rule": "R18",
} if {
	default_risk := data.twokey_data.default_risk
	quorum > data.twokey_data.risks[default_risk].quorum
}

# METADATA
# title: Emergency
# description: >-
#   Somebody who owns the controls broke the glass for this write: fewer people have to say yes until the emergency ends,
#   and somebody else reviews it afterwards.
# custom:
#   rule: R19
#   code: break_glass
write_reasons contains {
	"code": "break_glass",
	"message": "An emergency was declared: fewer people are asked, and a review is due afterwards.",
	"rule": "R19",
} if {
	emergency
}

warnings contains "break_glass" if emergency

obligations contains "review_break_glass" if emergency
