"""A process that loads the installed tools: ``python plugin_process.py PINS``, where PINS is a JSON object.

It prints one JSON object: the names of the tools, or the error; and always the digest of every plugin it sees.
"""

import json
import sys
from importlib.metadata import distributions

from twokey.core.errors import TwokeyError
from twokey.tools.registry import distribution_digest, installed


def main() -> None:
    digests: dict[str, str] = {}
    for distribution in distributions():
        if distribution.name.startswith("acme"):
            try:
                digests[distribution.name] = distribution_digest(distribution)
            except TwokeyError as error:
                digests[distribution.name] = error.code
    pins = json.loads(sys.argv[1])
    pins = {name: digests[name] for name in digests} if pins == "as they are" else pins
    try:
        said = {"tools": [tool.name for tool in installed(pins).all()]}
    except TwokeyError as error:
        said = error.as_json()
    sys.stdout.write(json.dumps(said | {"digests": digests, "ran": sorted(set(sys.modules) & {"acme_tools", "evil"})}))


if __name__ == "__main__":
    main()
