"""Vectors of texts from an endpoint that speaks the OpenAI protocol, over real HTTP."""

import json
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from twokey.agents.models.openai_embeddings import BATCH, OpenAIEmbeddings
from twokey.core.errors import EnvironmentFault
from twokey.core.sections import ModelSection
from twokey.tools.retrieval.index import Index, Text

MEANINGS = {"automobile": (1.0, 0.0), "car": (0.98, 0.1), "carpet": (0.0, 1.0)}


def vector(text: str) -> list[float]:
    """Give what a model would know: an automobile is a car, and a carpet is none."""
    words = [MEANINGS[word] for word in text.lower().replace("\n", " ").split() if word in MEANINGS]
    return [sum(word[at] for word in words) + 0.01 for at in range(2)]


@dataclass
class Endpoint:
    url: str = ""
    status: int = 200
    body: Any = None
    location: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/v1/embeddings"
            assert asked.keys() == {"model", "input", "encoding_format"}
            state.asked.append(asked)
            state.keys.append(self.headers["authorization"])
            data = [{"index": at, "embedding": vector(text)} for at, text in enumerate(asked["input"])]
            body = json.dumps({"data": data[::-1]} if state.body is None else state.body).encode()
            self.send_response(state.status)
            self.send_header("content-length", str(len(body)))
            if state.location:
                self.send_header("location", state.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def embeddings(endpoint: Endpoint, key: str = "k-123") -> OpenAIEmbeddings:
    return OpenAIEmbeddings(ModelSection(base_url=endpoint.url, embeddings="small", timeout_s=60), key)


def refused(made: OpenAIEmbeddings) -> str:
    with pytest.raises(EnvironmentFault) as caught:
        made.vectors(["a"])
    assert "k-123" not in caught.value.message + caught.value.next
    return caught.value.code


def test_each_text_gets_its_vector_in_batches(endpoint: Endpoint) -> None:
    texts = ["car", "carpet"] * BATCH
    assert embeddings(endpoint).vectors(texts) == [vector(text) for text in texts]
    assert [len(asked["input"]) for asked in endpoint.asked] == [BATCH, BATCH]
    assert {asked["model"] for asked in endpoint.asked} == {"small"}
    assert endpoint.keys == ["Bearer k-123"] * 2
    embeddings(endpoint, "").vectors(["car"])
    assert endpoint.keys[-1] is None
    assert embeddings(endpoint).vectors([]) == []


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, None, "embeddings_http_500"),
        (200, {"data": []}, "embeddings_protocol"),
        (200, {"data": [{"index": 1, "embedding": [1]}]}, "embeddings_protocol"),
        (200, {"data": [{"index": 0, "embedding": []}]}, "embeddings_protocol"),
        (200, {"data": [{"index": 0, "embedding": ["x"]}]}, "embeddings_protocol"),
        (200, {"data": [{"index": 0, "embedding": [float("inf")]}]}, "embeddings_protocol"),
        (200, {"data": [{"index": 0, "embedding": [0.5] * 9_000}]}, "embeddings_protocol"),
        (200, ["no"], "embeddings_protocol"),
        (200, {"data": "x" * (17 * 1024 * 1024)}, "embeddings_too_large"),
    ],
)
def test_what_is_no_vector_is_refused(endpoint: Endpoint, status: int, body: Any, code: str) -> None:
    endpoint.status, endpoint.body = status, body
    assert refused(embeddings(endpoint)) == code


def test_a_redirect_is_not_followed(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.location = 307, f"{endpoint.url}/embeddings"
    assert refused(embeddings(endpoint)) == "embeddings_http_307"
    assert len(endpoint.asked) == 1


def test_vectors_of_different_lengths_are_refused(endpoint: Endpoint) -> None:
    endpoint.body = {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]}
    with pytest.raises(EnvironmentFault):
        embeddings(endpoint).vectors(["a", "b"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "ftp://127.0.0.1/v1", "http://u:p@127.0.0.1:1/v1"])
def test_an_address_that_cannot_be_asked_is_said_so(url: str) -> None:
    made = OpenAIEmbeddings(ModelSection(base_url=url, embeddings="small", timeout_s=20), "k-123")
    assert refused(made) in {"embeddings_unreachable", "embeddings_settings"}


def text(number: int, title: str) -> Text:
    return Text(number, f"T-{number}", "1", 1_000 + number, title, "the shop sells it")


def test_meaning_orders_candidates_and_each_text_is_sent_once(endpoint: Endpoint) -> None:
    index = Index(embeddings=embeddings(endpoint))
    for number, title in enumerate(("carpet is dirty", "car is dirty", "shop opens late"), 1):
        index.put(text(number, title))
    asked = text(99, "automobile is dirty")
    bare = Index()
    for number, title in enumerate(("carpet is dirty", "car is dirty", "shop opens late"), 1):
        bare.put(text(number, title))
    assert index.similar(asked, 3)[0].key == "T-2"
    assert index.similar(asked, 3)[0].likeness["meaning"] > 0.9
    assert [len(item["input"]) for item in endpoint.asked] == [4, 1]
    index.put(Text(1, "T-1", "2", 1_001, "carpet is very dirty", ""))
    index.similar(asked, 3)
    assert len(endpoint.asked[-1]["input"]) == 2, "a text that changed is sent again"
    endpoint.status = 500
    found = index.similar(asked, 3)
    assert (index.meaning, len(found)) == ("unreachable", 3)
    endpoint.status = 200
    index.search("carpet", 3)
    assert index.meaning == "used"
    assert index.search("automobile", 3) == [], "meaning orders what words and signs find"
    bare.similar(asked, 3)
    assert (index.meaning, bare.meaning) == ("off", "off")
