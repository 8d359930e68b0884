"""The command line ``tauscope``: run here, or talk to a service."""

import sys

from tauscope.cli.errors import report_errors

__all__ = ["main"]


def main() -> None:
    """Run the command line; foreseen errors are told in words, with the remedy, and exit with 2."""
    from tauscope.cli.app import app  # Every command; who takes one module of this package need not load them.

    with report_errors():
        app(standalone_mode=True)
    sys.exit(0)
