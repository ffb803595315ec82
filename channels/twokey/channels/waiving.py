"""Signs an exception of the policy data: ``python -m twokey.channels.waiving WORKSPACE NAME --as PRINCIPAL``.

Rule: whoever signs proves who they are, as for an answer to a card; whether that lifts the rule is found when policy is
asked: the signer has to be in the group that owns the rule (``twokey.tools.waivers``).
"""

import argparse
import sys
from pathlib import Path

from twokey.channels import wiring
from twokey.core import settings
from twokey.core.errors import TwokeyError
from twokey.tools.identity import KeyRing


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exits with the code of what went wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m twokey.channels.waiving", description="Sign an exception of the policy data."
    )
    parser.add_argument("workspace", metavar="WORKSPACE", type=Path)
    parser.add_argument("name", metavar="NAME", help="name of the exception in policies/data.json")
    parser.add_argument("--as", dest="signer", metavar="PRINCIPAL", required=True, help="whose credential signs")
    chosen = parser.parse_args(arguments)
    try:
        config = settings.load(chosen.workspace)
        credential = KeyRing(settings.home(config.workspace.id) / "keys").load(chosen.signer)
        wiring.sign_exception(chosen.workspace, chosen.name, credential)
        held, ignored = wiring.exceptions(chosen.workspace)
    except TwokeyError as error:
        sys.stderr.write(f"{error.message}\n  next: {error.next}\n")
        sys.exit(error.exit_code)
    if chosen.name in held:
        sys.stdout.write(f"{chosen.name} holds from the next start of a process on\n")
        return
    why = next(item.why for item in ignored if item.name == chosen.name)
    sys.stderr.write(f"{chosen.name} is signed and does not hold: {why}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
