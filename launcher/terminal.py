"""What ``up`` says in the terminal: one line for each change of a part."""

from rich.console import Console
from rich.text import Text

from launcher.errors import LaunchError

WIDTH = 140


class Terminal:
    """Plain lines, which also read well in a log file."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            # A file has no width of its own, and a table broken at 80 columns is hard to read.
            self.console = Console(highlight=False, width=WIDTH)
        self._errors = Console(stderr=True, highlight=False)

    def part(self, name: str, state: str) -> None:
        """A part changed its state."""
        self.say(f"  {name:<12}{state}")

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(Text(text), soft_wrap=True)

    def error(self, error: LaunchError) -> None:
        """Why the stack cannot start, and what to do."""
        self._errors.print(Text(f"tauscope: {error.message}.\n{error.remedy}."), soft_wrap=True)
