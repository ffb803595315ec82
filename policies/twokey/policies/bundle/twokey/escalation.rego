package twokey

# Groups that are asked besides the owners, because of what the write is. Undefined, so that nothing is written (R01),
# where an entry does not say whom to ask about what. Texts stand between "" and [] in the order of all values; to ask
# is_string of each would take regorus four times as long.
escalated := groups if {
	about := concerned
	entries := data.twokey_data.escalation
	is_array(entries)
	every entry in entries {
		about[entry.on]
		"" <= entry.is
		entry.is < []
		"" <= entry.group
		entry.group < []
	}
	groups := {group | some entry in entries; entry.is in about[entry.on]; group := entry.group}
}

# What the write is, by what an entry may be about.
concerned := {"label": labels, "kind": [kind], "class": resource_classes, "environment": [environment]} if {
	labels := input.change.labels
	kind := input.resource.kind
	environment := input.resource.environment
	is_string(environment)
}

# METADATA
# title: Further groups are asked
# description: A label, the kind, the class or the environment of the resource asks people of further groups.
# custom:
#   rule: R27
#   code: escalated
write_reasons contains {
	"code": "escalated",
	"message": "What the write changes asks people of further groups, too.",
	"rule": "R27",
} if {
	escalated != set()
}
