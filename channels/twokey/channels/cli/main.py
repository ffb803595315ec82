"""Entry point of the command ``twokey``.

Rules: the global options ``-C/--workspace``, ``--json`` and ``--as`` may stand before or after the command; nothing
heavy is imported before a command needs it; whatever happens, a person gets a sentence and not a traceback.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from twokey.channels.cli import approvals, asking, evidence, measuring, setup
from twokey.channels.cli.session import SESSION
from twokey.core.errors import BadInput, EnvironmentFault, TwokeyError

app = typer.Typer(
    name="twokey",
    help="An ops assistant that cannot act alone: policy and a person turn the keys, and a log proves it.",
    epilog="Everywhere: -C/--workspace DIR, --json (one object on stdout), --as PRINCIPAL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
setup.add_to(app)
asking.add_to(app)
approvals.add_to(app)
evidence.add_to(app)
measuring.add_to(app)

_WITH_VALUE = {"-C": "workspace", "--workspace": "workspace", "--as": "principal"}


def hoist(arguments: Sequence[str]) -> list[str]:
    """Take the global options out of ``arguments``, wherever they stand before ``--``, into the session.

    Raises:
        BadInput: an option that needs a value has none.

    """
    rest: list[str] = []
    items = iter(arguments)
    for item in items:
        name, equals, value = item.partition("=")
        if item == "--":
            return [*rest, item, *items]
        if item == "--json":
            SESSION.as_json = True
        elif name in _WITH_VALUE and (equals or item == name):
            given = value if equals else next(items, None)
            if not given:
                raise BadInput(f"The option {name} needs a value.", next="See `twokey --help`.", code="usage")
            if _WITH_VALUE[name] == "workspace":
                SESSION.workspace = Path(given)
            else:
                SESSION.principal = given
        else:
            rest.append(item)
    return rest


def main() -> None:
    """Run the command line."""
    try:
        status = app(args=hoist(sys.argv[1:]), standalone_mode=False)
    except TwokeyError as error:
        SESSION.fail(error)
    except typer.TyperException as error:
        SESSION.fail(BadInput(error.format_message(), next="See `twokey --help`.", code="usage"))
    except (typer.Abort, KeyboardInterrupt):
        SESSION.say("Interrupted. What was acknowledged is kept; `twokey runs list` shows where things stand.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        SESSION.fail(
            EnvironmentFault(
                f"The system refused something Twokey needs: {error.strerror or type(error).__name__}.",
                next="Check permissions, free space and open files, then try again.",
                code="system",
            )
        )
    sys.exit(status if isinstance(status, int) else 0)
