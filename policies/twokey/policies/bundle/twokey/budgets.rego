package twokey

# METADATA
# title: The budget of changes is used up
# description: >-
#   The data limits how many proposals, writes, files and lines a run, a requester and the whole workspace may make in an
#   hour or a day. What is counted comes with the input, and is reserved in the same transaction as the proposal or write.
# custom:
#   rule: R23
#   code: budget_used
deny contains {
	"code": "budget_used",
	"message": "The run, the requester or the workspace has made as many changes as the budgets allow. Try again later.",
	"rule": "R23",
} if {
	"R23" in broken
	not "R23" in excepted
}

broken contains "R23" if {
	input.effect == "write"
	not within_budgets
}

# A budget that holds is counted: one that says nothing of its measure, its time or its number is none of them.
within_budgets if {
	budgets := data.twokey_data.budgets
	is_array(budgets)
	counters := input.counters
	added := asked
	held := [budget |
		some budget in budgets
		budget.measure != "cost"
		budget.most < ""
		used := counters[budget.over]
		used[budget.measure] + added[budget.measure] <= budget.most
	]
	count(held) + count(cost_budgets) == count(budgets)
}

cost_budgets := [budget | some budget in data.twokey_data.budgets; budget.measure == "cost"]

# METADATA
# title: The budget of cost is used up
# description: What models have cost counts against the run and the workspace; where it is used up, nothing goes on.
# custom:
#   rule: R24
#   code: cost_used
deny contains {
	"code": "cost_used",
	"message": "The run or the workspace has cost as much as the budgets allow. Try again later.",
	"rule": "R24",
} if {
	"R24" in broken
	not "R24" in excepted
}

broken contains "R24" if not within_cost

within_cost if {
	is_array(data.twokey_data.budgets)
	counters := input.counters
	every budget in cost_budgets {
		is_number(budget.most)
		used := counters[budget.over]
		is_number(used.cost)
		used.cost < budget.most
	}
}
