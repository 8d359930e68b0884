"""``python -m tauscope`` is the command line."""

from tauscope.cli import main

main()
