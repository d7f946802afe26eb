"""The errors of the bot itself.

BotError
├── UserError    its text is written for the person and may be shown as it is
└── StartError   the bot cannot start; its text is written for the operator
"""


class BotError(Exception):
    """The base of the bot's own errors."""


class UserError(BotError):
    """Something a person can put right; the text says what to do, in plain sentences."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StartError(BotError):
    """Something the operator can put right; the text says what to do and repeats no secret."""

    def __init__(self, sentence: str, *, wrong_settings: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wrong_settings = wrong_settings
        """Whether trying again is of no use before somebody has changed the settings."""
