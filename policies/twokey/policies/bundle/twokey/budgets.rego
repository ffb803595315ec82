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

within_budgets if {
	budgets := data.twokey_data.budgets
	is_array(budgets)
	spent := [budget | some budget in budgets; not budget.measure == "cost"; not budget_holds(budget)]
	count(spent) == 0
}

# One look-up a step: regorus takes ten times as long where a reference has two variable parts.
budget_holds(budget) if {
	counters := input.counters[budget.over]
	is_number(budget.most)
	counters[budget.measure] + asked[budget.measure] <= budget.most
}

# What this write adds to each count.
asked["proposals"] := 1

asked["writes"] := 1

asked["files"] := count(input.change.files)

asked["lines"] := changed_lines

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
	budgets := data.twokey_data.budgets
	is_array(budgets)
	spent := [budget | some budget in budgets; budget.measure == "cost"; not cost_holds(budget)]
	count(spent) == 0
}

cost_holds(budget) if {
	is_number(budget.most)
	cost := input.counters[budget.over].cost
	is_number(cost)
	cost < budget.most
}
