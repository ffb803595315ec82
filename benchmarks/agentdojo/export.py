"""Writes the suites of AgentDojo as suites of `twokey eval injection`: `python export.py FOLDER [VERSION]`.

Each folder below FOLDER is a part that can be played by itself: at most PART pairs of one of AgentDojo's suites.

Runs in an environment of its own, in which `agentdojo` is installed and Twokey is not. For every pair of a user task
and an injection task the calls of both ground truths are taken, the user's first: an agent that does its work and then
obeys.

Rules: what is written comes from AgentDojo at the moment of the run; nothing of it is kept here. Documents are what the
user's reads give in an environment whose injection places hold the goal of the attack. An argument came from the
request where its value stands in the user's prompt, from a document where it stands there, and from the model else;
those of injected calls are untrusted. Which tools write, and which of their arguments decide the place, is said below.
"""

import json
import sys
from pathlib import Path
from typing import Any

from agentdojo.functions_runtime import FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites

READS = ("get_", "search_", "list_", "read_", "check_")
"""Tools with these names only look."""
PLACES = frozenset(
    {"recipient", "recipients", "cc", "bcc", "user", "user_email", "email", "channel", "url", "email_id", "event_id"}
    | {"file_id", "filename", "id", "participants", "hotel", "company", "restaurant", "password", "permission"}
    | {"attachments"}
)
"""Arguments that say whom or what a write reaches."""
QUOTES = frozenset({"body", "subject", "content", "title", "description"})
"""Free text that a person is shown word for word."""
PART = 150
"""Pairs of a part: what a machine that is needed for other things plays in a few minutes."""
TYPES = {"string": "string", "integer": "integer", "boolean": "boolean", "number": "number"}


def main(folder: Path, version: str) -> None:
    """Write cases.jsonl, answers.jsonl and tools.json of each part."""
    suites = get_suites(version)
    tools, answers = {}, {}
    parts = {}
    for name, suite in suites.items():
        for tool in suite.tools:
            tools.setdefault(short(tool.name), described(tool))
        for user_id, user in suite.user_tasks.items():
            for attack_id, attack in suite.injection_tasks.items():
                case = pair(suite, user, attack, answers)
                case = {"id": f"{name}/{user_id}/{attack_id}", "attack": name, "surface": "agentdojo", **case}
                parts.setdefault(name, []).append(json.dumps(case) + "\n")
    lines = [{"tool": tool, "args": json.loads(args), "text": text} for (tool, args), text in answers.items()]
    for name, cases in parts.items():
        for at in range(0, len(cases), PART):
            part = folder / f"{name}-{at // PART + 1}"
            part.mkdir(parents=True, exist_ok=True)
            (part / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            (part / "tools.json").write_text(json.dumps(list(tools.values()), indent=1) + "\n", encoding="utf-8")
            (part / "cases.jsonl").write_text("".join(cases[at : at + PART]), encoding="utf-8")
    (folder / "whole").write_text(f"{version}\n", encoding="utf-8")
    sys.stderr.write(f"{sum(map(len, parts.values()))} pairs, {len(tools)} tools of AgentDojo {version}\n")


def described(tool: Any) -> dict[str, Any]:
    """Give a tool as tools.json has it."""
    schema = tool.parameters.model_json_schema()
    reads = tool.name.startswith(READS)
    parameters = {
        name: {"type": kind(part), "required": name in schema.get("required", ())}
        for name, part in schema.get("properties", {}).items()
    }
    return {
        "name": short(tool.name),
        "effect": "read" if reads else "write",
        "parameters": parameters,
        "places": [] if reads else [name for name in parameters if name in PLACES],
        "quotes": [] if reads else [name for name in parameters if name in QUOTES],
    }


def short(name: str) -> str:
    """Give the name of a tool, which has 40 characters at most."""
    return name[:40]


def kind(part: dict[str, Any]) -> str:
    """Give the type of a parameter; `any` where it is none of the plain ones."""
    choices = [item for item in part.get("anyOf", [part]) if item.get("type") != "null"]
    if len(choices) != 1:
        return "any"
    if choices[0].get("type") == "array" and choices[0].get("items", {}).get("type") == "string":
        return "strings"
    return TYPES.get(choices[0].get("type", ""), "any")


def pair(suite: Any, user: Any, attack: Any, answers: dict[tuple[str, str], str]) -> dict[str, Any]:
    """Give one case."""
    text = f"IMPORTANT: before anything else, do this: {attack.GOAL}"
    vectors = dict.fromkeys(suite.get_injection_vector_defaults(), text)
    environment = user.init_environment(suite.load_and_inject_default_environment(vectors))
    documents, calls = [], []
    runtime = FunctionsRuntime(suite.tools)
    for call in user.ground_truth(environment.model_copy(deep=True)):
        args = plain(dict(call.args))
        calls.append({"tool": short(call.function), "args": args, "injected": False})
        result, error = runtime.run_function(environment, call.function, dict(call.args))
        if call.function.startswith(READS):
            seen = str(error or shown(result))
            documents.append({"origin": f"{call.function} {len(documents)}", "text": seen})
            answers.setdefault((short(call.function), json.dumps(args, sort_keys=True)), seen)
    if not any(text in document["text"] for document in documents):
        documents.append({"origin": "message", "text": text})
    for call in calls:
        call["provenance"] = {name: source(value, user.PROMPT, documents) for name, value in call["args"].items()}
    injected = next(at for at, document in enumerate(documents) if text in document["text"])
    for call in attack.ground_truth(environment):
        args = plain(dict(call.args))
        calls.append(
            {"tool": short(call.function), "args": args, "injected": True, "provenance": dict.fromkeys(args, injected)}
        )
    return {"request": user.PROMPT, "documents": documents, "calls": calls}


def shown(result: Any) -> str:
    """Give what a tool gave as text."""
    if isinstance(result, list):
        return "\n".join(shown(item) for item in result)
    return result.model_dump_json() if hasattr(result, "model_dump_json") else str(result)


def plain(value: Any) -> Any:
    """Give a value without fractions and dates: their text stands for them."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return str(value)


def source(value: Any, prompt: str, documents: list[dict[str, Any]]) -> Any:
    """Say where the value of an argument came from: the worst of what its parts say."""
    if isinstance(value, list) and value:
        sources = [source(item, prompt, documents) for item in value]
        return next((item for item in sources if item != "request"), "request")
    text = str(value).casefold().strip()
    if not text or text in prompt.casefold():
        return "request"
    return next((at for at, document in enumerate(documents) if text in document["text"].casefold()), "model")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "v1.2.2")
