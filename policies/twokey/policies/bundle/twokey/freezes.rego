package twokey

# METADATA
# title: A change freeze
# description: >-
#   Nothing is written while a freeze of the data covers the kind and the environment of the resource. Its times are local
#   times of a zone, turned into instants when the data is loaded.
# custom:
#   rule: R25
#   code: change_freeze
deny contains {
	"code": "change_freeze",
	"message": "A change freeze covers this resource now. Ask again when it has ended, or ask who owns the rule.",
	"rule": "R25",
} if {
	"R25" in broken
	not "R25" in excepted
}

broken contains "R25" if {
	input.effect == "write"
	not outside_freezes
}

outside_freezes if {
	is_number(input.now_us)
	every freeze in data.twokey_data.freezes {
		not frozen_by(freeze)
	}
}

frozen_by(freeze) if {
	named_or_all(input.resource.kind, freeze.kinds)
	named_or_all(input.resource.environment, freeze.environments)
	some window in freeze.windows
	window.from_us <= input.now_us
	input.now_us < window.until_us
}

named_or_all(_, names) if count(names) == 0

named_or_all(name, names) if name in names
