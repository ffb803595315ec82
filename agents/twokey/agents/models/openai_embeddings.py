"""Vectors of texts from an OpenAI-compatible endpoint (Ollama, llama.cpp, vLLM, OpenAI and others).

Rules: texts go to the endpoint that the settings name and to no other (a redirect is not followed); the key leaves in
the header of the request and nowhere else; a reply is bounded in bytes and time, and is used only where it holds one
finite vector for each text, all of one length. A call is made once.

Protocol: https://platform.openai.com/docs/api-reference/embeddings/create
"""

import math
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from twokey.core.errors import EnvironmentFault
from twokey.core.sections import ModelSection

BATCH: Final = 32
MAX_REPLY: Final = 16 * 1024 * 1024
MAX_LENGTH: Final = 8_192
_OK: Final = 200


class _Vector(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Vector]


class OpenAIEmbeddings:
    """The embeddings of a model behind an endpoint; threads may share it."""

    def __init__(self, section: ModelSection, api_key: str) -> None:
        self._section = section
        self._key = api_key.strip()

    @property
    def name(self) -> str:
        """The model, and where it is asked."""
        return f"{self._section.base_url} {self._section.embeddings}"

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give one vector for each text."""
        found: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            found += self._asked([*texts[start : start + BATCH]])
        if len({len(vector) for vector in found}) > 1:
            raise _fault("protocol", "gave vectors of different lengths")
        return found

    def _asked(self, texts: list[str]) -> list[list[float]]:
        import httpx2  # noqa: PLC0415 - comes in where an endpoint is asked

        from twokey.agents.models.bounded_http import NotTaken, client  # noqa: PLC0415 - as above

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        asked = {"model": self._section.embeddings, "input": texts, "encoding_format": "float"}
        url = f"{self._section.base_url.rstrip('/')}/embeddings"
        if not url.startswith(("http://", "https://")) or "@" in urlsplit(url).netloc:
            raise _fault("settings", "is no http or https address without a password in it")
        try:
            with client(timeout_s=self._section.timeout_s, limit=MAX_REPLY) as http:
                reply = http.post(url, json=asked, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError) as error:
            raise _fault("unreachable", "cannot be reached") from error
        except NotTaken as error:
            raise _fault(error.code, "gave a reply that cannot be taken") from error
        if reply.status_code != _OK:
            raise _fault(f"http_{reply.status_code}", f"answered with HTTP status {reply.status_code}")
        try:
            read = _Reply.model_validate_json(reply.content)
        except ValidationError as error:
            raise _fault("protocol", "gave something else than vectors") from error
        vectors = [item.embedding for item in sorted(read.data, key=lambda item: item.index)]
        if [item.index for item in sorted(read.data, key=lambda item: item.index)] != [*range(len(texts))]:
            raise _fault("protocol", "gave another number of vectors than texts")
        if not all(0 < len(v) <= MAX_LENGTH and all(map(math.isfinite, v)) for v in vectors):
            raise _fault("protocol", "gave vectors that cannot be used")
        return vectors


def _fault(code: str, what: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"The endpoint for vectors of texts {what}.",
        next="Check model.base_url and model.embeddings in twokey.toml, or leave model.embeddings empty.",
        code=f"embeddings_{code}",
    )
