package twokey

# METADATA
# title: The resource is not granted
# description: >-
#   A call touches what the configuration grants, or what the request names where the data lets the requester's groups
#   name targets of that kind for that effect.
# custom:
#   rule: R04
#   code: resource_not_granted
deny contains {
	"code": "resource_not_granted",
	"message": "Neither the configuration nor the request grants this resource to the requester.",
	"rule": "R04",
} if {
	not resource_granted
}

resource_granted if input.resource.granted_by == "config"

resource_granted if {
	input.resource.granted_by == "request"
	kinds := data.twokey_data.may_name[input.effect]
	some group in kinds[input.resource.kind]
	group in requester_groups
}

# METADATA
# title: The resource is not named clearly
# description: A name with a `.` or `..` segment could pass for a resource of another owner.
# custom:
#   rule: R16
#   code: resource_unclear
deny contains {
	"code": "resource_unclear",
	"message": "The name of the resource has a segment that is one or two dots.",
	"rule": "R16",
} if {
	not resource_clear
}

resource_clear if {
	is_string(input.resource.id)
	every segment in split(input.resource.id, "/") {
		segment != "."
		segment != ".."
	}
}

# What an index (worked out from the data when it is loaded) holds for the name of the resource: for the whole name, for
# each beginning of it that ends in a slash, and for names that cannot be keys.
named_in(known) := (whole | beginnings) | other if {
	whole := {value | some value in known.ids[input.resource.id]}
	beginnings := {value | some beginning in resource_beginnings; some value in known.under[beginning]}
	other := {entry.value | some entry in known.rest; names_resource(entry)}
}

names_resource(entry) if entry.id == input.resource.id

names_resource(entry) if startswith(input.resource.id, entry.under)

resource_beginnings contains ""

resource_beginnings contains beginning if {
	parts := split(input.resource.id, "/")
	some at, _ in parts
	at > 0
	beginning := concat("/", array.concat(array.slice(parts, 0, at), [""]))
}
