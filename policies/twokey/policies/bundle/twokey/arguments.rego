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
	is_array(contract.places)
	is_array(contract.content)
	listed := data.twokey_data.index.arguments[input.tool]
	every name, _ in input.args {
		name in listed
	}
	every entry in input.provenance {
		"" <= entry.path
		entry.path < []
	}
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
	places - covered != set()
}

# METADATA
# title: A place named by untrusted text or a model
# description: >-
#   An argument that decides where a write goes, its parents and its parts come from the request, the configuration,
#   code or trusted evidence; code may also rest on what was read from the very resource that is written to. No place
#   holds a value that untrusted evidence of the run holds and nobody else names, whatever its label says; what the
#   resource itself lists by that name passes where the data lets resources of its kind list places.
# custom:
#   rule: R11
#   code: place_untrusted
deny contains {
	"code": "place_untrusted",
	"message": "Untrusted text or a model decided where the write goes.",
	"rule": "R11",
} if {
	input.effect == "write"
	places != set()
	not places_sound
}

# METADATA
# title: Content from untrusted text or a model
# description: >-
#   What a write says comes from the request, the configuration, code or evidence. The words of a model and text that was
#   read outside are content only where the contract lists the argument under `quotes`.
# custom:
#   rule: R20
#   code: content_untrusted
deny contains {
	"code": "content_untrusted",
	"message": "Untrusted text or a model decided what the write says.",
	"rule": "R20",
} if {
	input.effect == "write"
	some path in untrusted_paths
	some part in content
	related(path, part)
}

# METADATA
# title: Content without provenance
# description: An argument that is no place says where it came from, too, itself or through its parent.
# custom:
#   rule: R21
#   code: content_without_provenance
deny contains {
	"code": "content_without_provenance",
	"message": "An argument that decides what the write says does not say where it came from.",
	"rule": "R21",
} if {
	input.effect == "write"
	content - covered != set()
}

places contains place if {
	args := input.args
	some place in contract.places
	segments := split(place, ".")
	name := segments[0]
	args[name] != null
}

content contains part if {
	args := input.args
	known := contract
	quotes := object.get(known, "quotes", [])
	some part in known.content
	not part in quotes
	segments := split(part, ".")
	name := segments[0]
	args[name] != null
}

# Paths are collected once: most calls have none that is bad, and nothing is compared then.
stated_paths := {path | some entry in input.provenance; path := entry.path}

untrusted_paths := {path |
	some entry in input.provenance
	path := entry.path
	not entry.label == "code"
	not entry.label == "evidence"
	not entry.label == "request"
	not entry.label == "config"
}

unsound_paths := untrusted_paths | {path |
	some entry in input.provenance
	path := entry.path
	not entry.trusted == true
	not rests_on_target(entry)
}

arguments := places | content

covered := (arguments & stated_paths) | beneath_stated

beneath_stated contains path if {
	some path in (arguments - stated_paths)
	some stated in stated_paths
	beneath(path, stated)
}

# What an agent says is not enough: the gate looked for the values itself, and has to say so.
places_sound if {
	is_array(input.change.copied)
	is_array(input.change.mentioned)
	not place_tainted
}

place_tainted if {
	some path in tainting_paths
	some place in places
	related(path, place)
}

tainting_paths := (unsound_paths | {path | some path in input.change.copied}) | {path |
	some path in input.change.mentioned
	not places_listed
}

places_listed if input.resource.kind in data.twokey_data.listed_places

rests_on_target(entry) if {
	entry.label == "code"
	entry.same_resource == true
}

related(path, place) if path == place

related(path, place) if beneath(path, place)

related(path, place) if beneath(place, path)

beneath(path, parent) if startswith(path, concat("", [parent, "."]))
