"""Words by which a report of a weakness is told, whatever else it says of itself.

Rules: each sign stands for itself; a denial ("this is not a security issue") takes nothing back. Signs that need weight
beside them belong to triage, which looks at the same ticket with more care: this is the second look, which holds where
an agent was talked into something. A ticket that only speaks of logging in, tokens of text or rights is no report.
"""

import re
from typing import Final

_SEEN: Final = r"(?:logs?|history|repo(?:sitory)?|plain ?text|clear ?text|url|bucket)"
_KEPT: Final = r"(?:password|passphrase|token|secret|credential|(?:api|access|private|signing)[- ]key)s?"
_SIGNS: Final = (
    r"vulnerab\w*",
    r"cve[- ]\d{4}[- ]\d+",
    r"exploit\w*",
    r"(?:zero|0)[- ]days?",
    r"xss|csrf|ssrf|xxe|idor|rce|redos|sqli",
    r"(?:sql|command|code|template|prompt|header|ldap|log|script)[-_ ]injections?",
    r"(?:remote|arbitrary)[-_ ]code(?:[-_ ]execution)?",
    r"cross[-_ ]site",
    r"privilege[-_ ]escalation|escalat\w* (?:of )?privileges?",
    r"(?:path|directory)[-_ ]traversal|open[-_ ]redirects?|click-?jacking|session[-_ ](?:hijack\w*|fixation)",
    r"(?:buffer|heap)[-_ ]overflows?|use[- ]after[- ]free|(?:insecure|unsafe) deseriali[sz]ation|unpickle\w*",
    r"auth(?:entication|ori[sz]ation)?[-_ ]bypass\w*",
    r"bypass\w* (?:of )?(?:the |our )?(?:auth\w*|login|log-in|access|permission\w*|approval\w*)",
    r"unauthenticated|unauthori[sz]ed access",
    r"without (?:a |any |being )?(?:authenticat\w*|authori[sz]ation|logg(?:ing|ed)[- ]in|login)",
    r"without (?:a |any )?(?:password|token|permission)",
    r"(?:an)?other (?:user|customer|tenant|account|company)(?:s?['\u2019]s?| s data)",
    r"(?:an)?other (?:users|customers|tenants) (?:data|invoices|accounts|files)",
    r"denial[- ]of[- ]service|m[ae]n[- ]in[- ]the[- ]middle",
    r"supply[- ]chain attack\w*|typosquat\w*|dependency confusion",
    r"malware|back-?doors?|phishing",
    r"security (?:report|issue|hole|bug|flaw|problem|incident|weakness)\w*",
    r"data (?:breach|leak)\w*|responsibl[ey] disclos\w*",
    rf"hard-?\s?coded (?:\w+ ){{0,2}}{_KEPT}",
    rf"(?:leak|expos|stol|steal|publish)\w* (?:\w+ ){{0,3}}(?:{_KEPT}|keys?)",
    rf"{_KEPT} (?:\w+ ){{0,3}}(?:in|into|to) (?:the |our |a |its )?(?:git |public |debug )?{_SEEN}",
    rf"{_KEPT} (?:\w+ ){{0,2}}(?:readable|committed|visible|exposed|leaked|stolen|published)",
    r"sicherheitsl\u00fccken?|schwachstellen?|vulnerabilidad\w*",
    r"vuln\u00e9rabilit\u00e9\w*|faille de s\u00e9curit\u00e9",
)
_ANY: Final = re.compile(rf"(?<!\w)(?:{'|'.join(_SIGNS)})(?!\w)", re.IGNORECASE)


def found(text: str) -> bool:
    """Tell whether a text holds one of the signs."""
    return _ANY.search(text) is not None
