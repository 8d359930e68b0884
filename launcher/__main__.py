"""``python -m launcher up`` and ``python -m launcher demo``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from launcher.errors import LaunchError
from launcher.settings import UpSettings
from launcher.stack import Stack
from launcher.stopping import StopRequest
from launcher.terminal import Terminal
from tauscope.cli.inputs import parse_settings
from tauscope.specs import SpecError, apply_settings, load_preset


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code."""
    options = _parser().parse_args(arguments)
    terminal, stop = Terminal(), StopRequest()
    try:
        settings = _settings(options)
        assignments = _check_demo(options) if options.command == "demo" else {}
    except LaunchError as error:
        terminal.error(error)
        return 2
    stop.listen()
    stack = Stack(settings, terminal, stop)
    try:
        stack.start()
        return _serve(options, settings, stack, terminal, stop, assignments)
    except LaunchError as error:
        terminal.error(error)
        return 1
    finally:
        stack.stop()


def _serve(
    options: argparse.Namespace, settings: UpSettings, stack: Stack, terminal: Terminal, stop: StopRequest, assignments: dict[str, Any]
) -> int:
    if stop:
        return int(options.command == "demo" and options.exit)
    if options.command == "demo":
        from launcher.demo import run_demo  # The client is not needed by `up`.

        return run_demo(settings, stack, terminal, stop, preset=options.preset, assignments=assignments, leave=options.exit)
    terminal.say(f"\nTauscope: {settings.address}\nStop with Ctrl-C.")
    stack.watch()
    return 0


def _check_demo(options: argparse.Namespace) -> dict[str, Any]:
    """Read the demo's ``--set`` options, and refuse what the API would refuse before anything starts."""
    try:
        assignments = parse_settings(options.set)
        apply_settings(load_preset(options.preset).sweep, assignments)
    except SpecError as error:
        problem = error.problems[0]
        raise LaunchError(f"{problem.path}: {problem.message}", problem.remedy) from error
    return assignments


def _settings(options: argparse.Namespace) -> UpSettings:
    given: dict[str, Any] = {name: getattr(options, name) for name in ("home", "port", "api_port") if getattr(options, name) is not None}
    try:
        return UpSettings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        raise LaunchError(f"{option}: {first['msg']}", f"It now holds {first['input']!r}; correct it or its TAUSCOPE_ variable") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m launcher", description="Start the whole service on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="serve until Ctrl-C")
    demo = commands.add_parser("demo", help="serve, and run a preset")
    for command in (up, demo):
        command.add_argument("--port", type=int, help="port of the dashboard (default: 8501)")
        command.add_argument("--api-port", type=int, help="port of the API (default: 8500)")
        command.add_argument("--home", type=Path, help=f"folder of all data (default: {os.environ.get('TAUSCOPE_HOME', '~/.tauscope')})")
    demo.add_argument("--preset", default="digits-demo", help="what to run (default: digits-demo)")
    demo.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="replace a field of the preset; may be repeated")
    demo.add_argument("--exit", action="store_true", help="stop when the runs are over; exit code 1 if one failed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
