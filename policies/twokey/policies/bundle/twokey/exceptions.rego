package twokey

# Rules that an exception of the data lifts for this call. The gate says which exceptions are signed by somebody who owns
# the rule; all the rest is looked at here. Only rules that add to `broken` can be lifted at all.
excepted contains rule if {
	some exception in data.twokey_data.exceptions
	exception.name in input.exceptions
	exception.rule in data.twokey_data.waivable
	is_number(input.now_us)
	is_number(exception.until_us)
	input.now_us < exception.until_us
	exception_covers(exception)
	rule := exception.rule
}

exception_covers(exception) if {
	count(exception.scope) > 0
	every part, wanted in exception.scope {
		asked_about[part] == wanted
	}
}

asked_about := {
	"tool": input.tool,
	"kind": input.resource.kind,
	"resource": input.resource.id,
	"requester": input.requester.name,
}

lifted := broken & excepted

# METADATA
# title: An exception holds
# description: >-
#   A requirement that this write does not meet was lifted for it, until the exception ends, by somebody who owns the
#   rule.
# custom:
#   rule: R26
#   code: exception
write_reasons contains {
	"code": "exception",
	"message": "An exception that the owner of a rule signed lifts that rule for this write.",
	"rule": "R26",
} if {
	lifted != set()
}

# METADATA
# title: An exception holds
# description: The write rests on a signed exception from a rule.
# custom:
#   code: exception
warnings contains "exception" if lifted != set()
