package twokey

# Every entry that matches counts, so an added entry can only ask for more.
resource_classes := named_classes if named_classes != set()

resource_classes := {class} if {
	named_classes == set()
	is_object(data.twokey_data.index.classes)
	class := data.twokey_data.default_class
}

named_classes contains class if {
	known := data.twokey_data.index.classes[input.resource.kind]
	some class in named_in(known)
}

# METADATA
# title: Too many sensitive fields
# description: >-
#   The data limits how many personal, financial or secret fields one write may mark or unmark, for each class of
#   resource. A kind of field that no limit names is not written at all.
# custom:
#   rule: R22
#   code: too_many_fields
deny contains {
	"code": "too_many_fields",
	"message": "The write changes more sensitive fields than the limits for this resource allow.",
	"rule": "R22",
} if {
	"R22" in broken
	not "R22" in excepted
}

broken contains "R22" if {
	input.effect == "write"
	not within_field_limits
}

within_field_limits if {
	is_array(input.change.fields)
	is_array(data.twokey_data.field_limits)
	every field in input.change.fields {
		field_within(field)
	}
}

field_within(field) if {
	is_number(field.count)
	every limit in data.twokey_data.field_limits {
		is_string(limit.kind)
	}
	limits := [limit | some limit in data.twokey_data.field_limits; limit.kind == field.kind; not limit_elsewhere(limit)]
	count(limits) > 0
	every limit in limits {
		is_number(limit.most)
		field.count <= limit.most
	}
}

# A limit that does not say for which classes it is counts for all.
limit_elsewhere(limit) if {
	is_array(limit.classes)
	count(limit.classes) > 0
	every class in limit.classes {
		not class in resource_classes
	}
}
