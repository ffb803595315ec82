package twokey.fixtures

schema := "00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa"

facts := {
	"groups": ["platform-owners", "data-owners", "churn-owners", "members"],
	"default_owner": "platform-owners",
	"owners": [
		{"kind": "repository", "id": "payments", "group": "data-owners"},
		{"kind": "repository", "under": "team/churn/", "group": "churn-owners"},
		{"kind": "repository", "id": "team/churn/secret", "group": "data-owners"},
	],
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
			"content": ["title", "files.text"],
		},
	},
	"limits": {"files": 2, "lines": 10},
	"risks": {
		"normal": {"quorum": 1, "expires_s": 86400},
		"high": {"quorum": 2, "expires_s": 3600},
	},
	"break_glass": {"quorum": 1},
	"default_risk": "normal",
	"risk_of_label": {"changes_sensitivity": "normal", "changes_ci": "high", "misspelt": "hihg"},
	"risk_of_unlisted_label": "high",
	"risk_of_environment": {"production": "high"},
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
		{"path": "repository", "label": "request", "evidence": []},
		{"path": "title", "label": "untrusted", "evidence": []},
		{"path": "files.path", "label": "code", "evidence": []},
		{"path": "files.text", "label": "model", "evidence": []},
	],
	"resource": {"kind": "repository", "id": "dbt", "granted_by": "config", "environment": "default"},
	"change": {
		"proposal": "p-000000000001",
		"contributors": ["ana", "ben"],
		"files": [{"path": "a.yml", "added": 4, "removed": 1}],
		"labels": [],
		"evidence": 1,
		"rollback": true,
	},
	"break_glass": null,
	"now_us": 1,
	"now_ns": 1000,
}

# The call with one value replaced (or added) at a path of keys.
but(call, path, value) := json.patch(call, [{"op": "add", "path": path, "value": value}])
