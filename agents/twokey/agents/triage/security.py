"""Whether a ticket may report a weakness, so that it is routed in private and never commented on in public.

Rules
- Missing a report does harm that cannot be undone, and asking in private costs a minute: the bar is low. One strong
  sign is enough, or two weak ones.
- What a ticket says of itself never lowers suspicion: "this is not a security issue" is what somebody would write who
  wants it discussed in public. Denials are ignored for strong signs.
- Some tickets speak of security as their subject: a wish for single sign-on, a question on roles, a page of
  documentation. Weak signs alone in such a ticket are not enough; strong ones are.
"""

from typing import Final

from twokey.agents.triage.phrases import Phrases
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.text import Parts
from twokey.agents.triage.values import Judgement

ENOUGH: Final = 4

_STRONG: Final = (
    "vulnerab*", "security vulnerab*", "security hole", "security bug", "security flaw", "security issue",
    "security report", "security problem", "exploit*", "cve", "cve-*", "sql injection", "command injection",
    "code injection", "template injection", "prompt injection", "xss", "cross-site scripting", "cross site scripting",
    "csrf", "ssrf", "rce", "remote code execution", "arbitrary code", "arbitrary file", "arbitrary command*",
    "path traversal", "directory traversal", "privilege escalation", "escalat* privileges", "escalation of privilege*",
    "auth bypass", "authentication bypass", "bypass* authentication", "bypass* authorization", "bypass* the login",
    "bypass* access", "without authentication", "without authenticating", "without logging in", "without being logged",
    "without a login", "without login", "without any login", "without a password", "without a token",
    "without permission", "without authorization", "unauthenticated", "unauthorized access", "unauthorised access",
    "use after free", "use-after-free", "buffer overflow", "heap overflow", "stack overflow in", "out-of-bounds write",
    "insecure deserialization", "unsafe deserialization", "pickle loads", "unpickl*", "hardcoded password",
    "hard-coded password", "hardcoded credential*", "hard-coded credential*", "hardcoded secret*", "hardcoded token",
    "leaked credential*", "leaked token", "leaked secret*", "leaked password*", "leaked key*", "leaks credentials",
    "leaks passwords", "leaks secrets", "leaks tokens", "leaks personal data", "exposed credential*", "exposed secret*",
    "exposed token*", "exposed key*", "exposes credentials", "exposes passwords", "exposes secrets", "exposes tokens",
    "exposes personal data", "exposes customer data", "credentials in the logs", "credentials in logs",
    "password in plain text", "passwords in plain text", "password in plaintext", "passwords in plaintext",
    "passwords in the logs", "password in the logs", "passwords in the log", "password in the log", "password in logs",
    "token in the logs", "token in the log", "tokens in the logs", "tokens in logs", "secrets in the logs",
    "secret in the log", "key in the log", "key in the repository", "password in the repository",
    "token in the repository", "secret in the repository", "in clear text", "in cleartext", "read another user's",
    "see another user's", "other users data", "another user's data", "other customers data",
    "another customer's data", "another tenant's", "other tenants", "another customer's", "another user's",
    "someone else's account", "somebody else's account",
    "responsible disclosure", "responsibly disclose", "coordinated disclosure", "bug bounty",
    "proof of concept exploit",
    "data breach", "data leak", "was hacked", "been hacked", "got hacked", "been compromised", "was compromised",
    "malware", "backdoor", "supply chain attack", "supply-chain attack", "dependency confusion", "typosquat*",
    "man in the middle", "man-in-the-middle", "session hijack*", "session fixation", "open redirect",
    "xxe", "idor", "clickjacking", "zip slip", "zip bomb", "denial of service", "redos", "timing attack",
    "attacker*", "sicherheitsl\u00fccke", "schwachstelle", "vulnerabilidad",
    "vuln\u00e9rabilit\u00e9", "faille de s\u00e9curit\u00e9",
)  # fmt: skip
_WEAK: Final[dict[str, int]] = {
    "security": 1, "secure": 1, "insecure": 2, "password*": 1, "credential*": 1, "secret*": 1, "token*": 1,
    "api key*": 1, "private key*": 2, "leak* _ data": 2, "leaked": 1, "exposed": 1, "publicly": 1,
    "publicly accessible": 2, "anyone can": 2, "anybody can": 2, "everyone can": 2, "any user can": 2,
    "anyone with": 1, "everyone with": 1, "readable": 2, "not mine": 2, "is public": 3, "in the history": 2,
    "subdomain": 1, "unencrypted": 2, "plaintext": 2, "plain text": 1, "not validated": 2, "unsanitized": 2,
    "unsanitised": 2, "not sanitized": 2, "not escaped": 2, "unescaped": 2, "inject*": 2, "script tag*": 2,
    "malicious*": 3, "attack*": 3, "spoof*": 3, "forge*": 2, "tamper*": 2, "impersonat*": 3, "world-readable": 3,
    "world readable": 3, "bypass*": 2, "escalat*": 1, "should not be able": 2, "can still log in": 2,
    "still has access": 2, "still have access": 2, "can still access": 2, "personal data": 1, "customer data": 1,
    "pii": 1, "gdpr": 1, "expired token*": 2, "certificate*": 1, "public bucket": 3, "bucket is public": 3,
    "audit log": 1, "permission check*": 2, "access control": 1, "sandbox": 1, "eval": 1, "phishing": 4,
    "committed by mistake": 2, "rotate": 1, "revoke*": 1,
}  # fmt: skip
_SUBJECT: Final = (
    "add", "support", "how do i", "how can i", "how to", "documentation", "docs", "would be nice", "feature request",
    "please add", "we would like", "i would like", "what is", "where is", "where do", "is there", "reset my password",
    "forgot my password", "new password", "need access", "request access",
)  # fmt: skip

_STRONG_FOUND: Final = Phrases(_STRONG)
_WEAK_FOUND: Final = Phrases(tuple(_WEAK))
_SUBJECT_FOUND: Final = Phrases(_SUBJECT)


def judge(parts: Parts) -> Judgement | None:
    """Tell whether a ticket may report a weakness; None where nothing points to it."""
    strong = _STRONG_FOUND.find(parts)
    weak = _WEAK_FOUND.find(parts)
    signs = list(dict.fromkeys(each.words for each in strong))
    hints = {each.phrase: each.words for each in weak}
    weight = ENOUGH * len(signs) + sum(_WEAK[phrase] for phrase in hints)
    bar = ENOUGH
    if not signs and _SUBJECT_FOUND.find(parts):
        bar = ENOUGH + 2
    if weight < bar:
        return None
    named = [quoted(words) for words in (*signs, *hints.values())][:3]
    return Judgement(
        value="security",
        confidence_permille=900 if signs else 600,
        reasons=(f"It says {', '.join(named)}, which reports of weaknesses do.",),
    )
