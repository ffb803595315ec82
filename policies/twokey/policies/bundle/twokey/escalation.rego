package twokey

# Groups that are asked besides the owners, because of what the write is.
escalated contains group if {
	some entry in data.twokey_data.escalation
	entry.on == "label"
	entry.is in input.change.labels
	group := entry.group
}

escalated contains group if {
	some entry in data.twokey_data.escalation
	entry.on == "kind"
	entry.is == input.resource.kind
	group := entry.group
}

escalated contains group if {
	some entry in data.twokey_data.escalation
	entry.on == "class"
	entry.is in resource_classes
	group := entry.group
}

escalated contains group if {
	some entry in data.twokey_data.escalation
	entry.on == "environment"
	entry.is == input.resource.environment
	group := entry.group
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
