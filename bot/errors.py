"""The errors of the bot itself.

BotError
└── UserError   its text is written for the person and may be shown as it is
"""


class BotError(Exception):
    """The base of the bot's own errors."""


class UserError(BotError):
    """Something a person can put right; the text says what to do, in plain sentences."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
