"""Tables of runs, proposals, approvals and evidence. An index for people and code: never authority (DESIGN, rule 7)."""
