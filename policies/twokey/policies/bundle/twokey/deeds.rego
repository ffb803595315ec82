package twokey

# METADATA
# title: A kind of change that is never written
# description: >-
#   The tool that renders a write says what kinds of change it holds, from the change itself; the data names kinds that
#   are not written whoever approves, such as a public comment on a report of a weakness.
# custom:
#   rule: R28
#   code: forbidden_change
deny contains {
	"code": "forbidden_change",
	"message": "The write holds a kind of change that the data forbids.",
	"rule": "R28",
} if {
	input.effect == "write"
	not changes_allowed
}

changes_allowed if {
	labels := input.change.labels
	is_array(labels)
	forbidden := data.twokey_data.forbidden_changes
	is_array(forbidden)
	every label in labels {
		not label in forbidden
	}
}

# METADATA
# title: A value that the data does not allow
# description: >-
#   Where the data lists the values of an argument (labels that may be put on, people who may be assigned), it takes no
#   other.
# custom:
#   rule: R29
#   code: value_not_allowed
deny contains {
	"code": "value_not_allowed",
	"message": "An argument holds a value that the data does not list for it.",
	"rule": "R29",
} if {
	input.effect == "write"
	not values_allowed
}

values_allowed if {
	entries := data.twokey_data.allowed_values
	is_array(entries)
	every entry in entries {
		is_string(entry.tool)
		is_array(entry.values)
		is_array(entry.resources)
		entry_allows(entry)
	}
}

entry_allows(entry) if entry.tool != input.tool

entry_allows(entry) if {
	count(entry.resources) > 0
	not input.resource.id in entry.resources
}

entry_allows(entry) if {
	every value in values_at(entry.path) {
		value in entry.values
	}
}

values_at(path) := [] if value_at(path) == null

values_at(path) := value_at(path) if is_array(value_at(path))

values_at(path) := [value] if {
	value := value_at(path)
	value != null
	not is_array(value)
}

# Undefined where something else than maps lies on the way: what is in a list could not be looked at.
value_at(path) := object.get(input.args, segments, null) if {
	segments := split(path, ".")
	every at, _ in segments {
		leads_on(object.get(input.args, array.slice(segments, 0, at), null))
	}
}

leads_on(value) if is_object(value)

leads_on(value) if is_null(value)
