package twokey

# METADATA
# title: The tool is not on the allow-list
# description: >-
#   A tool exists for the agents only where the data lists it with exactly this version, schema digest and effect.
# custom:
#   rule: R02
#   code: tool_not_listed
deny contains {
	"code": "tool_not_listed",
	"message": "The allow-list does not hold this tool with this version, schema and effect.",
	"rule": "R02",
} if {
	not tool_listed
}

tool_listed if {
	some tool in data.twokey_data.tools
	tool.name == input.tool
	tool.version == input.version
	tool.schema == input.tool_schema
	tool.effect == input.effect
}

# METADATA
# title: The tool may not touch this kind of resource
# description: The contract in the data names the kinds a tool touches; a tool without a contract touches nothing.
# custom:
#   rule: R06
#   code: kind_not_in_contract
deny contains {
	"code": "kind_not_in_contract",
	"message": "The tool's contract does not hold this kind of resource.",
	"rule": "R06",
} if {
	not kind_in_contract
}

kind_in_contract if input.resource.kind in contract.kinds

contract := data.twokey_data.contracts[input.tool]
