"""The command line. A command's module is imported when the command is used."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

import click

from proctor.cli.terminal import Lenient, LineFormatter, printable
from proctor.errors import ProctorError, one_line, reason_of
from proctor.plugins.core_names import COMMANDS
from proctor.redaction import keep_secrets_of_environment
from proctor.version import __version__

if TYPE_CHECKING:
    from proctor.plugins.plugin import Registration

THREAD_PREFIX = "proctor-io"
"""What the names of threads begin with that read datasets and render prompts."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used; plugins may add some."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands, then the plugins'."""
        return [*COMMANDS, *sorted(set(_plugin_commands()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a command."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        from proctor.plugins.active import plugin_manager

        if cmd_name not in _plugin_commands():
            return None
        loaded: click.Command = plugin_manager().registry.find("command", cmd_name).load()
        return loaded

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds a command, or says which plugin has it and what is spelt like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from proctor.plugins.active import plugin_manager

            if args and not args[0].startswith("-"):
                known = [*COMMANDS, *_plugin_commands()]
                import difflib

                near = difflib.get_close_matches(args[0], known, n=1)
                if near:
                    raise click.UsageError(
                        f"no command {args[0]!r}; did you mean {near[0]!r}?", ctx
                    ) from None
                plugin_manager().registry.find("command", args[0])
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        rows = [(name, line) for name, (_, line) in COMMANDS.items()]
        rows += [
            (name, f"from {registration.distribution}")
            for name, registration in sorted(_plugin_commands().items())
            if name not in COMMANDS
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _plugin_commands() -> dict[str, Registration]:
    from proctor.plugins.active import plugin_manager

    return {r.name: r for r in plugin_manager().registry.of_kind("command")}


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  proctor run evals.yaml               evaluate, print the scores, keep the samples
  proctor run evals.yaml --limit 50    the same 50 examples each time
  proctor show runs/2026-01-31T12-00-00-evals
  proctor list grader                  the graders there are, with their options
""",
)
@click.version_option(__version__, prog_name="proctor")
@click.option("--no-plugin", multiple=True, metavar="NAME", help="Leave a plugin out.")
@click.option("--plugin", multiple=True, metavar="FILE", help="Load a single-file plugin.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, no_plugin: Sequence[str], plugin: Sequence[str], debug: bool) -> None:
    """Evaluate language models. A score is right, or says that it is not."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits.

    Exit codes: 0 done, 1 the run failed, 2 the config or the arguments are wrong, 129, 130 and 143
    interrupted by SIGHUP, Ctrl-C and SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    is_debug = "--debug" in arguments
    keep_secrets_of_environment()
    try:
        _set_up_plugins(arguments)
        rest = [argument for argument in arguments if argument != "--debug"]
        returned = cli.main(args=rest, prog_name="proctor", standalone_mode=False)
        code = returned if isinstance(returned, int) else 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except SystemExit as stop:
        # Proctor's own commands never leave so: an exit with 0 would look like a score
        _say(
            f"something called exit({stop.code!r:.100}) (a mistake of a plugin's; --debug shows "
            "the traceback)",
            is_debug,
        )
        code = 1
    except ProctorError as error:
        _say(reason_of(error), is_debug)
        code = error.exit_code
    except Exception as error:
        _say(
            f"{one_line(error)} (a mistake of Proctor's or of a plugin's; --debug shows the "
            "traceback)",
            is_debug,
        )
        code = 1
    sys.exit(code)


def _say(what: str, is_debug: bool) -> None:
    """Prints what ended the command, and its traceback where one is wanted."""
    if is_debug:
        click.echo(printable(traceback.format_exc()), err=True)
    click.echo(f"error: {printable(what)}", err=True)


def console(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line as a process of its own, and leaves no hung thread to wait for.

    A thread that a client or a dataset hangs on would keep Python from exiting.

    Args:
        arguments: The arguments; without them, the process's own.
    """
    _make_streams_safe()
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.getLogger("proctor").addHandler(handler)
    try:
        main(arguments)
    except SystemExit as stop:
        _leave(stop.code if isinstance(stop.code, int) else 0)


def _make_streams_safe() -> None:
    """Lets no terminal end a run: one that is closed, or that lacks a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, for good
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = cast(TextIO, Lenient(sys.stderr))


def _leave(code: int) -> NoReturn:
    # all is said and written: from here on Ctrl-C has nothing to interrupt but the waiting
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    left = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_PREFIX)]
    for thread in left:
        thread.join(timeout=1.0)
    if any(thread.is_alive() for thread in left):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError, OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _set_up_plugins(arguments: Sequence[str]) -> None:
    """Puts a plugin manager in force that heeds ``--plugin`` and ``--no-plugin``.

    Commands come from plugins, so this precedes click's own parsing.
    """
    blocked = _values("--no-plugin", arguments)
    files = _values("--plugin", arguments)
    if blocked or files:
        from proctor.plugins import active

        active.configure(blocked=blocked, files=files)


def _values(option: str, arguments: Sequence[str]) -> list[str]:
    values = []
    for position, argument in enumerate(arguments):
        if argument == option and position + 1 < len(arguments):
            values.append(arguments[position + 1])
        elif argument.startswith(f"{option}="):
            values.append(argument.split("=", 1)[1])
    return values
