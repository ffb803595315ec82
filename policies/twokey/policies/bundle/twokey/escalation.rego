package twokey

# Groups that are asked besides the owners, because of what the write is.
escalated contains group if {
	some entry in data.twokey_data.escalation
	entry.is in concerned[entry.on]
	group := entry.group
}

# What the write is, by what an entry may be about.
concerned := {"label": labels, "kind": [kind], "class": resource_classes, "environment": [environment]} if {
	labels := input.change.labels
	kind := input.resource.kind
	environment := input.resource.environment
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
	count(escalated) > 0
}
