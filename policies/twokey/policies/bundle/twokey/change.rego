package twokey

# METADATA
# title: No rollback plan
# description: A write says how it can be undone.
# custom:
#   rule: R08
#   code: rollback_missing
deny contains {
	"code": "rollback_missing",
	"message": "The write has no rollback plan.",
	"rule": "R08",
} if {
	"R08" in broken
	not "R08" in excepted
}

broken contains "R08" if {
	input.effect == "write"
	not rollback_stated
}

rollback_stated if input.change.rollback == true

# METADATA
# title: No evidence
# description: A write rests on at least one piece of evidence.
# custom:
#   rule: R09
#   code: evidence_missing
deny contains {
	"code": "evidence_missing",
	"message": "The write rests on no evidence.",
	"rule": "R09",
} if {
	input.effect == "write"
	not evidence_stated
}

evidence_stated if {
	is_number(input.change.evidence)
	input.change.evidence >= 1
}

# METADATA
# title: Too large
# description: The data limits how many files and lines one write may change.
# custom:
#   rule: R10
#   code: too_large
deny contains {
	"code": "too_large",
	"message": "The write changes more files or lines than the limits allow.",
	"rule": "R10",
} if {
	"R10" in broken
	not "R10" in excepted
}

broken contains "R10" if {
	input.effect == "write"
	not within_limits
}

within_limits if {
	is_array(input.change.files)
	limits := data.twokey_data.limits
	is_number(limits.files)
	is_number(limits.lines)
	size := asked
	size.files <= limits.files
	size.lines <= limits.lines
}

# What this write adds to each count. Undefined where a file does not say how much of it changes, or says less than
# nothing.
asked := {"proposals": 1, "writes": 1, "files": number, "lines": sum(sizes)} if {
	files := input.change.files
	sizes := [size |
		some file in files
		file.added >= 0
		file.removed >= 0
		size := file.added + file.removed
	]
	number := count(files)
	count(sizes) == number
}
