"""Asks an OpenID Connect provider who somebody is (OpenID Connect Core 1.0, authorization code flow).

Rules
- The code is bound to this browser (``state`` and a cookie), to this exchange (PKCE, RFC 7636, S256) and to this login
  (``nonce``); each is used once and forgotten after ten minutes.
- A token counts if a key that the provider publishes signed it with an asymmetric algorithm, for this client, by this
  issuer, now. Anything else is nobody.
- The provider is asked over https (or on this machine), is bounded in time and size, and sends nobody elsewhere.
- Who somebody is there is issuer and subject, never a name or an address.
"""

import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from twokey.channels.passes import digest_of, new_secret
from twokey.core.errors import EnvironmentFault, NotAuthenticated, Refused
from twokey.core.ports import Clock
from twokey.core.sections import ConsoleSection

OPEN_US: Final = 10 * 60 * 1_000_000
"""How long a login may take."""
WAITING: Final = 1000
TIMEOUT_S: Final = 10.0
MOST_BYTES: Final = 256 * 1024
LEEWAY_S: Final = 60
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that goes on at the provider."""

    address: str
    """Where the browser goes."""
    state: str
    cookie: str
    """What the browser has to bring back, too."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    cookie: str
    nonce: str
    verifier: str
    path: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Person:
    """Who came back from the provider, and where they wanted to go."""

    external: str
    path: str


class Provider:
    """One provider of identities."""

    def __init__(self, section: ConsoleSection, secret: str, clock: Clock, redirect: str) -> None:
        """``redirect`` is the address to which the provider sends people back."""
        self._section = section
        self._secret = secret
        self._clock = clock
        self._redirect = redirect
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    @property
    def host(self) -> str:
        """How people know the provider: its host."""
        return urlsplit(self._section.oidc_issuer).netloc

    def begin(self, path: str) -> Begun:
        """Begin a login that leads to ``path``; raises ``EnvironmentFault``."""
        state, cookie, nonce, verifier = (new_secret() for _ in range(4))
        endpoint = self._endpoint(self._metadata(), "authorization_endpoint")
        with contextlib.closing(self._session()) as session:
            address, _ = session.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
        with self._lock:
            self._waiting[state] = _Waiting(digest_of(cookie), nonce, verifier, path, self._clock.now_us())
            while len(self._waiting) > WAITING:
                del self._waiting[next(iter(self._waiting))]
        return Begun(str(address), state, cookie)

    def finish(self, *, state: str, code: str, issuer: str | None, cookie: str) -> Person:
        """Find out who came back.

        Raises:
            NotAuthenticated: it is not proven.
            Refused: they are in none of the groups that may come in.
            EnvironmentFault: the provider does not answer as one.

        """
        with self._lock:
            waiting = self._waiting.pop(state, None)
        if waiting is None or self._clock.now_us() > waiting.at_us + OPEN_US:
            raise _nobody("oidc_state")
        if not hmac.compare_digest(digest_of(cookie), waiting.cookie):
            raise _nobody("oidc_browser")
        if issuer is not None and issuer != self._section.oidc_issuer:  # RFC 9207
            raise _nobody("oidc_issuer")
        metadata = self._metadata()
        token = self._token(self._endpoint(metadata, "token_endpoint"), code, waiting.verifier)
        claims = self._claims(metadata, token, waiting.nonce)
        self._check_groups(claims)
        name = hashlib.sha256(f"{self._section.oidc_issuer}\0{claims['sub']}".encode()).hexdigest()[:32]
        return Person(f"oidc:{name}", waiting.path)

    def _session(self) -> Any:
        """Give a client of the provider's; Authlib's is one of requests' and says so to no type checker."""
        method = "client_secret_basic" if self._secret else "none"
        session: Any = OAuth2Session(
            self._section.oidc_client_id,
            self._secret or None,
            token_endpoint_auth_method=method,
            scope="openid profile",
            redirect_uri=self._redirect,
            code_challenge_method="S256",
        )
        session.trust_env = False
        return session

    def _metadata(self) -> Mapping[str, Any]:
        issuer = self._section.oidc_issuer
        found = self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise _fault("It says that it is another one.")
        return found

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        """Give one of the provider's addresses; as safe as the issuer's own."""
        address = metadata.get(name)
        scheme = urlsplit(self._section.oidc_issuer).scheme
        if not isinstance(address, str) or not (address.startswith(("https://", f"{scheme}://"))):
            raise _fault(f"It names no {name.replace('_', ' ')}.")
        return address

    def _json(self, address: str) -> Mapping[str, Any]:
        """Read a document of the provider's, without following it anywhere."""
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.get(address, timeout=TIMEOUT_S, allow_redirects=False, stream=True) as answer:
                    body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
            found: Any = json.loads(body) if answer.status_code == requests.codes.ok else None
        except (requests.RequestException, ValueError, OSError) as error:
            raise _fault("It does not answer.") from error
        if not isinstance(found, dict) or len(body) > MOST_BYTES:
            raise _fault("It does not answer as a provider.")
        return cast("Mapping[str, Any]", found)

    def _token(self, endpoint: str, code: str, verifier: str) -> str:
        """Exchange the code; gives the identity token."""
        try:
            with contextlib.closing(self._session()) as session:
                got: Any = session.fetch_token(
                    endpoint, code=code, code_verifier=verifier, timeout=TIMEOUT_S, allow_redirects=False
                )
        except AuthlibBaseError as error:
            raise _nobody("oidc_code") from error
        except (requests.RequestException, ValueError) as error:
            raise _fault("It does not exchange the code.") from error
        token = got.get("id_token") if isinstance(got, dict) else None
        if not isinstance(token, str):
            raise _nobody("oidc_token")
        return token

    def _claims(self, metadata: Mapping[str, Any], token: str, nonce: str) -> Mapping[str, Any]:
        """Check the token; gives what it says."""
        keys = self._json(self._endpoint(metadata, "jwks_uri"))
        own = self._section.oidc_client_id
        now = self._clock.now_us() // 1_000_000
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._section.oidc_issuer},
            aud={"essential": True, "value": own},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(cast("Any", keys)), list(ALGORITHMS)).claims
            registry.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _nobody("oidc_token") from error
        several = isinstance(claims["aud"], list) and len(cast("list[Any]", claims["aud"])) > 1
        if (several or "azp" in claims) and claims.get("azp") != own:
            raise _nobody("oidc_token")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise _nobody("oidc_token")
        return claims

    def _check_groups(self, claims: Mapping[str, Any]) -> None:
        wanted, said = set(self._section.oidc_groups), claims.get("groups")
        held = {str(item) for item in cast("list[Any]", said)} if isinstance(said, list) else set[str]()
        if wanted and not wanted & held:
            raise Refused(
                "At your provider you are in none of the groups that may come in here.",
                next="Ask who keeps twokey.toml (console.oidc_groups).",
                code="oidc_groups",
            )


def _nobody(code: str) -> NotAuthenticated:
    return NotAuthenticated(
        "The provider's answer does not prove who you are.", next="Begin again where one comes in.", code=code
    )


def _fault(why: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"The OpenID Connect provider of the settings cannot be used. {why}",
        next="Check console.oidc_issuer, and that this machine reaches it.",
        code="oidc_provider",
    )
