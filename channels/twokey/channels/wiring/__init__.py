"""The one composition root: the only package that names concrete adapters and puts them behind their ports."""

from twokey.channels.wiring.incident_health import incident_health
from twokey.channels.wiring.opening import Parts, Stage, opened, opened_parts
from twokey.channels.wiring.outside import github_health, github_of
from twokey.channels.wiring.policy import (
    Rulebook,
    batch_engine,
    bundle_of,
    enforcement_of,
    engine_of,
    exceptions,
    listed_tools,
    managed_engine,
    opened_rulebook,
    says_who_reads,
    sign_exception,
    tools_not_listed,
    write_policies,
)
from twokey.channels.wiring.stores import (
    CHECKPOINTS,
    LOG_KEY,
    STATE_FOLDER,
    STORE_KEY,
    new_ledger,
    opened_ledger,
    opened_log,
    store_has_password,
    store_url,
    verifier_of,
    verify_log,
)
from twokey.channels.wiring.telemetry_health import telemetry_health
from twokey.channels.wiring.triage import triage_health

__all__ = [
    "CHECKPOINTS",
    "LOG_KEY",
    "STATE_FOLDER",
    "STORE_KEY",
    "Parts",
    "Rulebook",
    "Stage",
    "batch_engine",
    "bundle_of",
    "enforcement_of",
    "engine_of",
    "exceptions",
    "github_health",
    "github_of",
    "incident_health",
    "listed_tools",
    "managed_engine",
    "new_ledger",
    "opened",
    "opened_ledger",
    "opened_log",
    "opened_parts",
    "opened_rulebook",
    "says_who_reads",
    "sign_exception",
    "store_has_password",
    "store_url",
    "telemetry_health",
    "tools_not_listed",
    "triage_health",
    "verifier_of",
    "verify_log",
    "write_policies",
]
