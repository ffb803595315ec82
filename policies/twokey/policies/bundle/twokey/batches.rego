package twokey

# What is said beside who has to approve: in which batch a card may be answered. The first entry that fits counts.
batching := {"batch": {"kind": fitting[0].kind, "most": fitting[0].most}} if fitting != []

batching := {} if fitting == []

# In an emergency, and where further groups are asked, each card is answered alone.
fitting := [entry |
	some entry in data.twokey_data.batches
	entry.tool == input.tool
	count(input.change.labels) > 0
	every label in input.change.labels {
		label in entry.labels
	}
	every risk in risks {
		risk in entry.risks
	}
	escalated == set()
	not emergency
]

# METADATA
# title: May be answered in a batch
# description: >-
#   The data names writes of one kind and of low risk that a person may answer together, up to a number. Each of them is
#   shown whole, and each gets an approval of its own.
# custom:
#   rule: R30
#   code: answered_in_batch
write_reasons contains {
	"code": "answered_in_batch",
	"message": "May be answered together with others of its kind.",
	"rule": "R30",
} if {
	fitting != []
}
