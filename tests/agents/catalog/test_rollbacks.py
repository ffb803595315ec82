"""What run files say about going back, where a model became worse."""

from twokey.agents.catalog import rollbacks
from twokey.agents.catalog.findings import Findings
from twokey.agents.reviewer.claims import fault
from twokey.agents.reviewer.scopes import Content
from twokey.core.values import Finding

RUN = b"run_id: 0a1b2c3d4e5f\nexperiment_id: '1'\nrun_name: nightly\n"


def version(number: str, stage: str = "None") -> bytes:
    text = f"name: churn_model\nversion: {number!r}\nrun_id: 0a1b2c3d4e5f\ncurrent_stage: {stage}\n"
    return text.encode()


def files(*versions: bytes) -> dict[str, bytes]:
    made = {f"mlruns/models/churn/v{number}/meta.yaml": text for number, text in enumerate(versions)}
    return {"mlruns/1/0a1b2c3d4e5f/meta.yaml": RUN, **made}


def found(kind: str) -> Findings:
    drop = Finding(
        id="f-1", subject="t.score", kind=kind, claim="It became worse.", evidence=("e-000000000001",), confidence=90
    )
    return Findings((drop,), {})


DROP = found("model_drop")


def test_the_version_before_the_deployed_one_is_named_and_borne_out():
    held = files(version("2"), version("3"), version("5", "Production"), version("6"))
    (finding,) = rollbacks.rules(held, DROP, "e-000000000002")
    assert finding.claim.startswith(
        "Version 5 of churn_model is deployed (Production), as `mlruns/models/churn/v2/meta.yaml`"
    )
    assert "go back to 3" in finding.claim
    read = {"files": [{"path": path, "text": text.decode()} for path, text in held.items()]}
    assert fault(finding, {"e-000000000002": Content(read)}) is None
    assert fault(
        finding.model_copy(update={"claim": finding.claim.replace("3", "97")}), {"e-000000000002": Content(read)}
    )


def test_nothing_is_said_without_a_drop_or_without_a_version_before():
    held = files(version("2"), version("3", "Production"))
    assert rollbacks.rules(held, found("number_drift"), "e-000000000002") == ()
    assert rollbacks.rules(files(version("3", "Production"), version("4")), DROP, "e-000000000002") == ()
    assert rollbacks.rules(files(version("2"), version("3")), DROP, "e-000000000002") == ()
    assert rollbacks.rules(files(version("2"), version("new", "Production")), DROP, "e-000000000002") == ()
    assert rollbacks.rules({}, DROP, "e-000000000002") == ()
