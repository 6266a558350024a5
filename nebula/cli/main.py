"""The command `nebula`: commands, version, and how every error ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nebula.cli.check import check
from nebula.cli.demo import demo
from nebula.cli.exit_codes import ExitCode, exit_code
from nebula.cli.explain import explain
from nebula.cli.explain_code import explain_code
from nebula.cli.facts import facts
from nebula.cli.later import LOADERS, later
from nebula.cli.lock import lock
from nebula.cli.losses import losses
from nebula.cli.output import say, show_text
from nebula.cli.profile import profile
from nebula.cli.schema import schema
from nebula.cli.select import select
from nebula.errors import NebulaError

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """A group of commands whose failures end in one sentence and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except NebulaError as error:
            say(str(error))
            raise typer.Exit(exit_code(error)) from None
        except BrokenPipeError:
            # What is still buffered would raise again when the interpreter flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None
        except OSError as error:
            say(f"{error.filename or 'a file'}: {error.strerror or error}.")
            raise typer.Exit(ExitCode.USAGE) from None
        except KeyboardInterrupt:
            say("stopped.")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        return result


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Chooses the loss for a PyTorch training run by rules people can read, and proves why.",
    epilog="Exit status: "
    + ", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in ExitCode)
    + ".",
)
for command in (select, explain, explain_code, check, lock, profile, losses, facts, schema, demo):
    app.command()(command)
for _name, (_help, _load) in LOADERS.items():
    app.add_typer(typer.Typer(cls=later(_load), help=_help, no_args_is_help=True), name=_name)


def _show_version(wanted: bool) -> None:
    if wanted:
        from nebula import __version__

        show_text(f"nebula {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    plugins: Annotated[bool, typer.Option(help="Load the losses and facts of installed plugins.")] = True,
) -> None:
    """Options before the command."""
    if not plugins:
        from nebula.plugins import use_plugins

        use_plugins(plugins)


def main() -> None:
    """Run the command line and end the process with its exit status."""
    try:
        app()
    except Exception as error:
        if os.environ.get("NEBULA_TRACEBACK"):
            raise
        say(f"internal error: {type(error).__name__}: {error}. Set NEBULA_TRACEBACK=1 to see where.")
        sys.exit(ExitCode.INTERNAL)


if __name__ == "__main__":
    main()
