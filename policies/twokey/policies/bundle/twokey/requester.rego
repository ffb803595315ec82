package twokey

# METADATA
# title: The requester is in no known group
# description: Groups come from the directory; at least one of them has to be a group that the data knows.
# custom:
#   rule: R03
#   code: requester_unknown
deny contains {
	"code": "requester_unknown",
	"message": "The requester is in no group that policy knows.",
	"rule": "R03",
} if {
	requester_groups == set()
}

requester_groups contains group if {
	known := data.twokey_data.groups
	some group in input.requester.groups
	group in known
}

# METADATA
# title: Names of people are not clear
# description: >-
#   The requester and each contributor are named in the form the directory uses, because they are put into the answer
#   as people who may not approve.
# custom:
#   rule: R17
#   code: names_unclear
deny contains {
	"code": "names_unclear",
	"message": "The requester or a contributor is not named as the directory names people.",
	"rule": "R17",
} if {
	not names_clear
}

names_clear if {
	input.effect == "read"
	is_name(input.requester.name)
}

names_clear if {
	input.effect == "write"
	input.requester.name in people
	is_array(input.change.contributors)
	every name in people {
		is_name(name)
	}
}

is_name(text) if regex.match(`^[a-z][a-z0-9_-]{0,39}$`, text)
