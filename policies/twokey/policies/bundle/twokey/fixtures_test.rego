package twokey.fixtures

schema := "00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa"

facts := {
	"groups": ["platform-owners", "data-owners", "churn-owners", "members"],
	"default_owner": "platform-owners",
	"index": {
		"owners": {"repository": {
			"ids": {"payments": ["data-owners"], "team/churn/secret": ["data-owners"]},
			"under": {"team/churn/": ["churn-owners"], "/": ["members"]},
			"rest": [
				{"id": "zahlungen-\u00e4", "value": "data-owners"},
				{"under": "\u00e4/", "value": "churn-owners"},
			],
		}},
		"classes": {
			"repository": {
				"ids": {"payments": ["restricted"], "odd": ["tickets"]},
				"under": {"team/churn/": ["public"]},
				"rest": [],
			},
			"warehouse": {"ids": {}, "under": {"": ["restricted"]}, "rest": []},
		},
		"arguments": {
			"query_warehouse": [],
			"open_pull_request": ["base", "body", "files", "repository", "title"],
		},
	},
	"may_name": {"read": {"warehouse": ["data-owners"]}, "write": {}},
	"tools": [
		{"name": "query_warehouse", "version": "1", "effect": "read", "schema": schema},
		{"name": "open_pull_request", "version": "1", "effect": "write", "schema": schema},
	],
	"contracts": {
		"query_warehouse": {"kinds": ["warehouse"], "places": [], "content": []},
		"open_pull_request": {
			"kinds": ["repository"],
			"places": ["repository", "base", "files.path"],
			"content": ["title", "files.text", "body"],
			"quotes": ["body"],
		},
	},
	"listed_places": ["repository"],
	"forbidden_changes": ["comments_security_report", "mentions_people"],
	"allowed_values": [],
	"limits": {"files": 2, "lines": 10},
	"risks": {
		"normal": {"quorum": 1, "expires_s": 86400, "auth": ["key", "slack"]},
		"high": {"quorum": 2, "expires_s": 3600},
	},
	"break_glass": {"quorum": 1},
	"default_risk": "normal",
	"risk_of_label": {"changes_sensitivity": "normal", "changes_ci": "high", "changes_policy": "normal", "misspelt": "hihg"},
	"risk_of_unlisted_label": "high",
	"risk_of_environment": {"production": "high"},
	"default_class": "internal",
	"risk_of_class": {"restricted": "high", "public": "normal"},
	"field_limits": [
		{"kind": "personal", "classes": [], "most": 5},
		{"kind": "personal", "classes": ["public", "restricted"], "most": 1},
		{"kind": "secret", "classes": ["public"], "most": 9},
	],
	"budgets": [
		{"over": "run", "measure": "proposals", "most": 2},
		{"over": "requester_hour", "measure": "files", "most": 10},
		{"over": "hour", "measure": "lines", "most": 100},
		{"over": "day", "measure": "writes", "most": 20},
		{"over": "day", "measure": "cost", "most": 1000},
	],
	"freezes": [
		{"name": "everything", "kinds": [], "environments": [], "windows": [
			{"from_us": 100, "until_us": 200},
			{"from_us": 300, "until_us": 400},
		]},
		{"name": "production", "kinds": ["repository"], "environments": ["production"], "windows": [{
			"from_us": 500,
			"until_us": 600,
		}]},
	],
	"waivable": ["R08", "R10", "R22", "R23", "R24", "R25"],
	"exceptions": [{
		"name": "large_move",
		"rule": "R10",
		"scope": {"tool": "open_pull_request", "kind": "repository", "resource": "dbt", "requester": "ana"},
		"until_us": 50,
	}],
	"escalation": [
		{"on": "label", "is": "changes_policy", "group": "risk-owners"},
		{"on": "kind", "is": "tickets", "group": "on-call"},
		{"on": "class", "is": "restricted", "group": "risk-owners"},
		{"on": "environment", "is": "staging", "group": "on-call"},
	],
}

read := {
	"requester": {"name": "ana", "groups": ["members"], "key": null},
	"agent": "catalog",
	"run": "r-000000000001",
	"step": 1,
	"tool": "query_warehouse",
	"version": "1",
	"tool_schema": schema,
	"effect": "read",
	"args": {"sql": "select 1"},
	"provenance": [],
	"resource": {"kind": "warehouse", "id": "main", "granted_by": "config", "environment": "default"},
	"change": null,
	"counters": counters,
	"exceptions": [],
	"frozen": false,
	"now_us": 1,
	"now_ns": 1000,
}

write := {
	"requester": {"name": "ana", "groups": ["members"], "key": null},
	"agent": "catalog",
	"run": "r-000000000001",
	"step": 2,
	"tool": "open_pull_request",
	"version": "1",
	"tool_schema": schema,
	"effect": "write",
	"args": {"repository": "dbt", "base": null, "title": "x", "files": []},
	"provenance": [
		origin("repository", "request"),
		origin("title", "evidence"),
		origin("files.path", "code"),
		origin("files.text", "config"),
	],
	"resource": {"kind": "repository", "id": "dbt", "granted_by": "config", "environment": "default"},
	"change": {
		"proposal": "p-000000000001",
		"contributors": ["ana", "ben"],
		"files": [{"path": "a.yml", "added": 4, "removed": 1}],
		"labels": [],
		"evidence": 1,
		"rollback": true,
		"copied": [],
		"mentioned": [],
		"fields": [],
	},
	"break_glass": null,
	"counters": counters,
	"exceptions": [],
	"frozen": false,
	"now_us": 1,
	"now_ns": 1000,
}

counters := {over: usage | some over in ["run", "requester_hour", "hour", "day"]}

usage := {"proposals": 0, "writes": 0, "files": 0, "lines": 0, "cost": 0}

# The call with one value replaced (or added) at a path of keys.
but(call, path, value) := json.patch(call, [{"op": "add", "path": path, "value": value}])

# What the gate makes of a claim that it has no doubts about.
origin(path, label) := {"path": path, "label": label, "evidence": [], "trusted": true, "same_resource": true}
