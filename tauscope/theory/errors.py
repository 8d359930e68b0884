"""What a closed form cannot be computed for."""


class TheoryError(ValueError):
    """A closed form does not hold or does not fit here; ``message`` says why, ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy
        super().__init__(f"{message}. {remedy}")
