"""Entry point of the command ``twokey``.

Rules: the global options ``-C/--workspace``, ``--json`` and ``--as`` may stand before or after the command; nothing
heavy is imported before a command needs it; whatever happens, a person gets a sentence and not a traceback.
"""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from twokey.channels.cli import (
    approvals,
    asking,
    controls,
    evidence,
    incidents,
    keeping,
    linking,
    measuring,
    policy,
    probing,
    scoring,
    serving,
    setup,
    triaging,
    working,
)
from twokey.channels.cli.session import INTERRUPTED, SESSION, prepare_output
from twokey.core.errors import BadInput, EnvironmentFault, Refused, TwokeyError

app = typer.Typer(
    name="twokey",
    help="An ops assistant that cannot act alone: policy and a person turn the keys, and a log proves it.",
    epilog="Everywhere: -C/--workspace DIR, --json (one object on stdout), --as PRINCIPAL.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        SESSION.say(f"twokey {version('twokey')}")
        SESSION.give({"version": version("twokey")})
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Take the options that belong to no command."""
    del version


setup.add_to(app)
asking.add_to(app)
incidents.add_to(app)
approvals.add_to(app)
controls.add_to(app)
linking.add_to(app)
probing.add_to(app)
working.add_to(app)
serving.add_to(app)
policy.add_to(app)
evidence.add_to(app)
measuring.add_to(app)
scoring.add_to(app)
keeping.add_to(app)
triaging.add_to(app)

_WITH_VALUE = {"-C": "workspace", "--workspace": "workspace", "--as": "principal"}


def hoist(arguments: Sequence[str]) -> list[str]:
    """Take the global options out of ``arguments``, wherever they stand before ``--``, into the session.

    Raises:
        BadInput: an option that needs a value has none, or an argument is no text.

    """
    rest: list[str] = []
    items = iter(arguments)
    if not all(map(_is_text, arguments)):
        raise BadInput("An argument is not UTF-8.", next="Use names and text in UTF-8.", code="usage")
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


def _is_text(argument: str) -> bool:
    """Tell whether an argument was UTF-8; Python keeps other bytes as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


_NEW_OBJECTS: Final = 10_000
"""Containers that are made before Python looks for rings of dead ones among them.

Evidence is trees of hundreds of thousands, and looking after every 700 of them, which is Python's own habit, took
nearly half of the time in which a change was written and reviewed.
"""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    prepare_output()
    try:
        rest = hoist(sys.argv[1:])
        if not rest and not SESSION.as_json:
            app(args=["--help"], standalone_mode=False)
            sys.exit(BadInput.exit_code)
        status = app(args=rest, standalone_mode=False)
        if status == INTERRUPTED:  # what Typer makes of an interrupt
            SESSION.fail(_interrupted(), INTERRUPTED)
    except TwokeyError as error:
        SESSION.fail(error)
    except typer.TyperException as error:
        SESSION.fail(_usage(error))
    except (typer.Abort, KeyboardInterrupt):
        SESSION.fail(_interrupted(), INTERRUPTED)
    except OSError as error:
        SESSION.fail(
            EnvironmentFault(
                f"The system refused something Twokey needs: {error.strerror or type(error).__name__}.",
                next="Check permissions, free space and open files, then try again.",
                code="system",
            )
        )
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of Twokey itself ends in a sentence, and fails
        SESSION.fail(_own_fault(error))
    sys.exit(status if isinstance(status, int) else 0)


def _interrupted() -> Refused:
    return Refused(
        "Interrupted. What was acknowledged is kept.",
        next="`twokey runs list` shows where things stand; `twokey runs resume ID` goes on.",
        code="interrupted",
    )


def _usage(error: typer.TyperException) -> BadInput:
    path = getattr(getattr(error, "ctx", None), "command_path", "twokey")
    return BadInput(error.format_message(), next=f"See `{path} --help`.", code="usage")


def _own_fault(error: Exception) -> EnvironmentFault:
    """Say where Twokey failed. Not the error's own words: they may hold what was being worked on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_globals.get('__name__')}, line {trace.tb_lineno}" if trace is not None else ""
    return EnvironmentFault(
        f"Twokey itself failed: {type(error).__name__}{place}.",
        next="Report this line. `twokey runs list` shows where things stand; `twokey audit verify` checks the log.",
        code="internal",
    )
