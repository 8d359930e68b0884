"""What can keep the stack from starting."""


class LaunchError(Exception):
    """The stack cannot start; ``remedy`` says what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
