"""An OpenID Connect provider for tests: real HTTP, strict about what clients send, and wrong on request."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "twokey-console", "client-secret-of-tests"


class Twin:
    """What the provider knows, and how it errs."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}/realm"
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.published = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.person: dict[str, Any] = {"sub": "248289761001", "groups": ["ops"]}
        self.wrong: dict[str, Any] = {}
        """Claims that are put in place of the right ones."""
        self.algorithm = "ES256"
        self.says_issuer = self.issuer
        self.complaints: list[str] = []

    def authorize(self, query: dict[str, str]) -> str | None:
        """Give where the browser is sent, as if the person had agreed."""
        needed = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        lacking = [name for name, value in needed.items() if query.get(name) != value]
        lacking += [name for name in ("state", "nonce", "redirect_uri") if not query.get(name)]
        if "openid" not in query.get("scope", "").split() or len(query.get("code_challenge", "")) != 43 or lacking:
            self.complaints.append(f"authorize: {lacking}")
            return None
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, authorization: str, form: dict[str, str]) -> dict[str, Any] | None:
        """Exchange a code once, for the client and the browser that it was given to."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != expected
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            self.complaints.append("token")
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said = {name: value for name, value in {**claims, **self.person, **self.wrong}.items() if value is not None}
        if self.algorithm == "none":
            head, body = (
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
                for part in ({"alg": "none"}, said)
            )
            signed = f"{head}.{body}."
        else:
            signed = jwt.encode({"alg": self.algorithm, "kid": "one"}, said, self.key)
        return {"access_token": "unused", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@contextmanager
def provider() -> Generator[Twin]:
    """Serve a provider while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

        def _json(self, value: Any, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/realm/.well-known/openid-configuration":
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                ends = {name: f"{twin.issuer}/{end}" for name, end in names.items()}
                self._json({"issuer": twin.says_issuer, **ends})
            elif parts.path == "/realm/keys":
                self._json({"keys": [twin.published.as_dict(private=False)]})
            elif parts.path == "/realm/authorize":
                where = twin.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
                self.send_response(302 if where else 400)
                self.send_header("location", where or "")
                self.send_header("content-length", "0")
                self.end_headers()
            else:
                self._json({}, 404)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            given = twin.token(self.headers.get("authorization", ""), form)
            self._json(given or {"error": "invalid_grant"}, 200 if given else 400)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    twin = Twin(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield twin
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
