package twokey

# METADATA
# title: An argument that policy does not know
# description: >-
#   The contract of a write tool names each argument, either under `places` (it decides where the write goes) or under
#   `content`. An argument in neither list is denied, so that a new one cannot slip past the rules about places.
# custom:
#   rule: R13
#   code: argument_unlisted
deny contains {
	"code": "argument_unlisted",
	"message": "The tool's contract does not list every argument of this write.",
	"rule": "R13",
} if {
	input.effect == "write"
	not arguments_listed
}

arguments_listed if {
	is_object(input.args)
	every name, _ in input.args {
		name in listed_arguments
	}
}

listed_arguments contains name if {
	some path in contract.places
	name := first_segment(path)
}

listed_arguments contains name if {
	some path in contract.content
	name := first_segment(path)
}

# METADATA
# title: A place without provenance
# description: An argument that decides where a write goes says where it came from, itself or through its parent.
# custom:
#   rule: R12
#   code: place_without_provenance
deny contains {
	"code": "place_without_provenance",
	"message": "An argument that decides where the write goes does not say where it came from.",
	"rule": "R12",
} if {
	input.effect == "write"
	some place in places
	not place_covered(place)
}

# METADATA
# title: A place named by untrusted text or a model
# description: >-
#   An argument that decides where a write goes, its parents and its parts come from the request, the configuration,
#   code or evidence that is trusted.
# custom:
#   rule: R11
#   code: place_untrusted
deny contains {
	"code": "place_untrusted",
	"message": "Untrusted text or a model decided where the write goes.",
	"rule": "R11",
} if {
	input.effect == "write"
	some place in places
	some entry in input.provenance
	related(entry.path, place)
	not entry.label in {"request", "config", "code", "evidence"}
}

places contains place if {
	some place in contract.places
	input.args[first_segment(place)] != null
}

place_covered(place) if {
	some entry in input.provenance
	entry.path == place
}

place_covered(place) if {
	some entry in input.provenance
	beneath(place, entry.path)
}

related(path, place) if path == place

related(path, place) if beneath(path, place)

related(path, place) if beneath(place, path)

beneath(path, parent) if startswith(path, concat("", [parent, "."]))

first_segment(path) := split(path, ".")[0]
