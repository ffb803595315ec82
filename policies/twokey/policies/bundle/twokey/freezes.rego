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

# What a freeze does not say, or the call, keeps nothing out of it.
outside_freezes if {
	is_number(input.now_us)
	freezes := data.twokey_data.freezes
	is_array(freezes)
	every freeze in freezes {
		outside(freeze)
	}
}

outside(freeze) if names_others(freeze.kinds, input.resource.kind)

outside(freeze) if names_others(freeze.environments, input.resource.environment)

outside(freeze) if {
	is_array(freeze.windows)
	every window in freeze.windows {
		outside_window(window)
	}
}

outside_window(window) if {
	is_number(window.from_us)
	input.now_us < window.from_us
}

outside_window(window) if {
	is_number(window.until_us)
	input.now_us >= window.until_us
}

names_others(names, name) if {
	is_array(names)
	count(names) > 0
	not name in names
}
