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
	every budget in data.twokey_data.budgets {
		budget_holds(budget)
	}
}

budget_holds(budget) if budget.measure == "cost"

budget_holds(budget) if {
	used := input.counters[budget.over][budget.measure]
	more := asked(budget.measure)
	used + more <= budget.most
}

asked(measure) := 1 if measure in {"proposals", "writes"}

asked(measure) := n if {
	measure == "files"
	n := count(input.change.files)
}

asked(measure) := n if {
	measure == "lines"
	n := changed_lines
}

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
	every budget in data.twokey_data.budgets {
		cost_holds(budget)
	}
}

cost_holds(budget) if budget.measure != "cost"

cost_holds(budget) if input.counters[budget.over].cost < budget.most
