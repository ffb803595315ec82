package twokey

# The quorum is bound in the body: undefined inside the comprehension it would give an empty list instead of no answer.
approvals := object.union(needed, batching)

needed := {
	"all_of": [{"group": group, "n": n} | some group in owning_groups],
	"exclude": [name | some name in people],
	"distinct": true,
	"expires_s": seconds,
	"max_uses": 1,
	"binds": ["proposal_digest", "decision_digest"],
	"auth": proofs,
} if {
	owning_groups != set()
	n := quorum
	seconds := strictest.expires_s
}

# Who shaped the write: none of them can approve it.
people := {name | name := input.requester.name} | {name | some name in input.change.contributors}

owning_groups := owners | escalated

# Every entry that matches counts, so an added entry can only ask for more. Without the index nobody is known to own
# anything, so there is no answer (R01).
owners := named_owners if named_owners != set()

owners := {group} if {
	named_owners == set()
	is_object(data.twokey_data.index.owners)
	group := data.twokey_data.default_owner
}

named_owners contains group if {
	known := data.twokey_data.index.owners[input.resource.kind]
	some group in named_in(known)
}

# In an emergency fewer people are asked, never more than without it.
quorum := usual if {
	not emergency
	usual := strictest.quorum
}

quorum := fewer if {
	emergency
	usual := strictest.quorum
	limit := data.twokey_data.break_glass.quorum
	is_number(limit)
	fewer := min([usual, limit])
}

emergency if {
	is_number(input.now_us)
	is_number(input.break_glass.until_us)
	input.now_us < input.break_glass.until_us
}

# The strictest of all risks that apply. A risk that the table lacks leaves this undefined, which denies (R01).
# Look-ups stand in bodies, never in heads: where one is undefined in a head, regorus drops what the rule found before.
strictest := {"quorum": max(quorums), "expires_s": min(times)} if {
	resource_classes != set()
	table := data.twokey_data.risks
	quorums := [n | some risk in risks; n := table[risk].quorum; is_number(n)]
	times := [seconds | some risk in risks; seconds := table[risk].expires_s; is_number(seconds)]
	number := count(risks)
	count(quorums) == number
	count(times) == number
}

# What counts as proof that an approval is somebody's: what every risk that applies admits. A risk that says nothing
# admits keys alone.
proofs := [proof | some proof in known_proofs; not proof in unproven]

known_proofs := ["key", "slack", "github", "oidc"]

unproven contains proof if {
	table := data.twokey_data.risks
	some risk in risks
	admitted := object.get(table[risk], "auth", ["key"])
	some proof in known_proofs
	not proof in admitted
}

# Each table is asked for: where one were missing, what it asks for would be, too.
risks := ((({standard} | of_environment) | of_classes) | of_labels) | of_unlisted if {
	standard := data.twokey_data.default_risk
	by_environment := data.twokey_data.risk_of_environment
	is_object(by_environment)
	by_class := data.twokey_data.risk_of_class
	is_object(by_class)
	by_label := data.twokey_data.risk_of_label
	is_object(by_label)
	unlisted := data.twokey_data.risk_of_unlisted_label
	is_string(unlisted)
	of_environment := {risk | risk := by_environment[input.resource.environment]}
	of_classes := {risk | some class in resource_classes; risk := by_class[class]}
	of_labels := {risk | some label in input.change.labels; risk := by_label[label]}
	of_unlisted := {unlisted | unlisted_labels != set()}
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
warnings contains "unlisted_label" if unlisted_labels != set()

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
	table := data.twokey_data.risks
	default_risk := data.twokey_data.default_risk
	quorum > table[default_risk].quorum
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
