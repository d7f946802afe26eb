"""Settings, read once at start from a TOML file and the environment, checked, and frozen.

The environment goes above the file. Every setting can be given as ``BOT_<SECTION>__<KEY>``, a list as
words with commas between them or as a JSON array; `DISCORD_TOKEN` and `NANOGPT_API_KEY` are accepted too.
An empty variable counts as absent, because that is how container tools pass one that nobody set.

Only the composition root and its builders read settings; everything else is handed the values it needs.
"""

import base64
import binascii
import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.ids import UserId
from bot.domain.ratings import ContentLimits, ContentRating, parse_rating
from bot.errors import BotError

CONFIG_VARIABLE: Final = "BOT_CONFIG"
"""Names the file when the command line does not."""
DEFAULT_FILE: Final = Path("config.toml")
EXAMPLE_FILE: Final = "config.example.toml"
PREFIX: Final = "BOT_"
SEPARATOR: Final = "__"
ALIASES: Final[Mapping[str, tuple[str, str]]] = {
    "DISCORD_TOKEN": ("discord", "token"),
    "NANOGPT_API_KEY": ("nanogpt", "api_key"),
}
"""Variables without the prefix; `BOT_<SECTION>__<KEY>` goes above them."""

UPSTREAM_REQUESTS_PER_SECOND: Final = 25
"""What NanoGPT's rate-limits page allows; a setting must stay below it."""
MIN_OUTPUT_TOKENS: Final = 16
"""NanoGPT's Responses page, max_output_tokens."""
_VAULT_KEY_BYTES: Final = 32
_MIN_SECRET_LENGTH: Final = 8
"""Characters: real tokens and keys have several times as many, and a shorter one would black out words of the log."""
_PLACEHOLDER: Final = re.compile(
    r"<.*>|\$\{.*\}|[x.…*_-]{3,}|.*[-_ ]here|(?:your|my|insert|put|paste|enter|change|replace|add|todo|example"
    r"|placeholder|secret|token|key)(?:[-_ ].*|me)?",
    re.IGNORECASE,
)
"""Values that stand in sample files: a real token or key is never made of such words."""
_LINE_AND_COLUMN: Final = re.compile(r"at (line \d+, column \d+|end of document)")


class ConfigError(BotError):
    """The settings cannot be used; the sentence names the key and never repeats a value."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value().strip()
    if not value or any(letter.isspace() for letter in value):
        raise PydanticCustomError("secret_shape", "")
    if _PLACEHOLDER.fullmatch(value):
        raise PydanticCustomError("placeholder", "")
    if len(value) < _MIN_SECRET_LENGTH:
        raise PydanticCustomError("secret_length", "")
    return SecretStr(value)


def _vault_key(secret: SecretStr) -> SecretStr:
    """Accept base64, plain or URL-safe, with or without its padding; hand it on plain."""
    compact = secret.get_secret_value().strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _VAULT_KEY_BYTES:
        raise PydanticCustomError("vault_key", "")
    return SecretStr(base64.b64encode(key).decode())


def _address(value: str, *schemes: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise PydanticCustomError("address", "")
    return value.strip()


def _http_address(value: str) -> str:
    return _address(value, "http", "https").rstrip("/")


def _gateway_address(value: str) -> str:
    return _address(value, "ws", "wss")


def _database_url(value: str) -> str:
    if not value.startswith(_SQLITE) or not value.removeprefix(_SQLITE).strip("/") or ":memory:" in value:
        raise PydanticCustomError("database_url", "")
    return value


def _rating(value: object) -> object:
    return value if (rating := parse_rating(value)) is None else rating


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


_SQLITE: Final = "sqlite:///"

Secret = Annotated[SecretStr, AfterValidator(_secret)]
VaultKey = Annotated[SecretStr, AfterValidator(_vault_key)]
HttpAddress = Annotated[str, AfterValidator(_http_address)]
GatewayAddress = Annotated[str, AfterValidator(_gateway_address)]
Rating = Annotated[ContentRating, BeforeValidator(_rating)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]

_HTTP_RULE: Final = "an address that begins with http:// or https://"
_RATING_RULE: Final = "one of sfw, suggestive, nsfw, explicit"
_YES_NO_RULE: Final = "true or false"


class _Section(BaseModel):
    """One table of the file. The description of a field completes "… must be …" when its value is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class DiscordSettings(_Section):
    """How to reach Discord. Other addresses than Discord's own are for proxies and for tests."""

    token: Secret = Field(description="a bot token, as the Bot page of the Discord developer portal shows it")
    api_url: HttpAddress = Field(default="https://discord.com/api/v10", description=_HTTP_RULE)
    gateway_url: GatewayAddress = Field(
        default="wss://gateway.discord.gg/", description="an address that begins with ws:// or wss://"
    )
    cdn_url: HttpAddress = Field(default="https://cdn.discordapp.com", description=_HTTP_RULE)
    shard_ids: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        default=None, description="a list of whole numbers from 0 up"
    )
    shard_count: int | None = Field(default=None, ge=1, description="a whole number from 1 up")
    message_content: bool = Field(default=True, description=_YES_NO_RULE)
    ready_timeout_seconds: float = Field(default=2.0, gt=0, le=60, description="a number of seconds above 0, up to 60")

    @model_validator(mode="after")
    def _shards_fit(self) -> Self:
        if self.shard_ids is not None and (
            self.shard_count is None or not self.shard_ids or max(self.shard_ids) >= self.shard_count
        ):
            raise PydanticCustomError("shards", "")
        return self


class NanoGptSettings(_Section):
    """How to reach NanoGPT, how fast, and for how long to wait."""

    api_key: Secret = Field(description="a NanoGPT API key")
    base_url: HttpAddress = Field(default="https://nano-gpt.com/api/v1", description=_HTTP_RULE)
    responses_url: HttpAddress = Field(default="https://api.nano-gpt.com/api/v1", description=_HTTP_RULE)
    max_concurrent: int = Field(default=32, ge=1, le=1000, description="a whole number from 1 to 1000")
    requests_per_second: int = Field(
        default=20,
        ge=1,
        lt=UPSTREAM_REQUESTS_PER_SECOND,
        description="a whole number from 1 to 24, for NanoGPT itself allows 25",
    )
    connect_timeout_seconds: float = Field(default=10, gt=0, description="a number of seconds above 0")
    idle_timeout_seconds: float = Field(default=90, gt=0, description="a number of seconds above 0")
    overall_timeout_seconds: float = Field(default=300, gt=0, description="a number of seconds above 0")
    greeting_sent_by_server: bool = Field(default=False, description=_YES_NO_RULE)
    max_output_tokens: int | None = Field(default=None, ge=MIN_OUTPUT_TOKENS, description="a whole number from 16 up")


class DatabaseSettings(_Section):
    """Where everything that matters is kept."""

    url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///data/bot.db",
        description="sqlite:/// and a path, which is relative unless it begins with another /",
    )

    @property
    def path(self) -> Path:
        """The database file; a relative one starts at the working directory."""
        return Path(self.url.removeprefix(_SQLITE))


class VaultSettings(_Section):
    """The master keys under which texts and secrets are sealed."""

    keys: tuple[VaultKey, ...] = Field(default=(), description="a list of keys, each the base64 of 32 bytes")
    """The first one writes, all of them read."""
    key_file: Path | None = Field(default=None, description="a path")


class ContentSettings(_Section):
    """How strong a character may be, and where."""

    default_max: Rating = Field(default=ContentRating.SFW, description=_RATING_RULE)
    restricted_max: Rating = Field(default=ContentRating.NSFW, description=_RATING_RULE)

    @model_validator(mode="after")
    def _restricted_is_wider(self) -> Self:
        if self.restricted_max < self.default_max:
            raise PydanticCustomError("ratings", "")
        return self

    @property
    def limits(self) -> ContentLimits:
        """The two ceilings."""
        return ContentLimits(self.default_max, self.restricted_max)


class RelaySettings(_Section):
    """How messages are answered."""

    history_messages: int = Field(default=40, ge=0, le=500, description="a whole number from 0 to 500")
    history_characters: int = Field(default=24_000, ge=1_000, description="a whole number from 1000 up")
    queue_limit: int = Field(default=20, ge=1, le=1_000, description="a whole number from 1 to 1000")
    """Messages that may wait in one conversation."""
    preview_interval_seconds: float = Field(
        default=1.0, ge=0.1, le=60, description="a number of seconds from 0.1 to 60"
    )
    first_text_delay_seconds: float = Field(default=0.1, ge=0, le=5, description="a number of seconds from 0 to 5")
    feedback_buttons: bool = Field(default=True, description=_YES_NO_RULE)
    catch_up_minutes: float = Field(default=15, ge=0, le=1_440, description="a number of minutes from 0 to 1440")
    answer_bot_ids: tuple[Annotated[int, Field(gt=0)], ...] = Field(default=(), description="a list of Discord ids")
    bot_turns_in_a_row: int = Field(default=3, ge=0, le=100, description="a whole number from 0 to 100")
    drain_seconds: float = Field(default=25, ge=0, le=600, description="a number of seconds from 0 to 600")

    @property
    def answered_bots(self) -> frozenset[UserId]:
        """Whose messages are answered although they are bots or webhooks."""
        return frozenset(map(UserId, self.answer_bot_ids))


class LimitSettings(_Section):
    """How many accepted messages a day are answered; 0 is no limit."""

    member_messages_per_day: int = Field(default=200, ge=0, description="a whole number from 0 up")
    guild_messages_per_day: int = Field(default=2_000, ge=0, description="a whole number from 0 up")


class PrivacySettings(_Section):
    """What is kept for how long, and whom people may turn to."""

    retention_days: int = Field(default=30, ge=1, le=3_650, description="a whole number from 1 to 3650")
    policy_url: HttpAddress | None = Field(default=None, description=_HTTP_RULE)
    operator_contact: str | None = Field(default=None, max_length=200, description="a text of at most 200 characters")


class LoggingSettings(_Section):
    """How much is written to the log."""

    level: LogLevel = Field(default="INFO", description="one of DEBUG, INFO, WARNING, ERROR")


class HealthSettings(_Section):
    """How the outside sees that the process lives."""

    file: Path | None = Field(default=None, description="a path")


class Settings(BaseSettings):
    """All settings. Made by `load_settings`; nothing is read from the process environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    discord: DiscordSettings
    nanogpt: NanoGptSettings
    database: DatabaseSettings = DatabaseSettings()
    vault: VaultSettings = VaultSettings()
    content: ContentSettings = ContentSettings()
    relay: RelaySettings = RelaySettings()
    limits: LimitSettings = LimitSettings()
    privacy: PrivacySettings = PrivacySettings()
    logging: LoggingSettings = LoggingSettings()
    health: HealthSettings = HealthSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the constructor alone: `load_settings` has put file and environment together."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def vault_key_file(self) -> Path:
        """The file of the vault's own key: as set, else beside the database."""
        return self.vault.key_file or self.database.path.with_suffix(".key")

    @property
    def card_files(self) -> Path:
        """The folder of authors' card files, beside the database."""
        return self.database.path.with_suffix(".files")

    @property
    def health_file(self) -> Path:
        """The file whose age says whether the process lives: as set, else beside the database."""
        return self.health.file or self.database.path.with_suffix(".alive")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings, for the log to leave out."""
        hidden = (self.discord.token, self.nanogpt.api_key, *self.vault.keys)
        return tuple(secret.get_secret_value() for secret in hidden)


def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    The file is `path`, else the one that `BOT_CONFIG` names, else ./config.toml if there is one. Raises
    ConfigError, whose sentence names the key at fault.
    """
    named = path or (Path(env[CONFIG_VARIABLE]) if env.get(CONFIG_VARIABLE) else None)
    file = named or DEFAULT_FILE
    values = _read_file(file, needed=named is not None)
    variables = dict(_read_environment(env))
    for (section, key), (_, value) in variables.items():
        table = values.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = value
    for section in ("discord", "nanogpt"):
        values.setdefault(section, {})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        # A misspelt name is why another one is missing, so it is told first.
        problem = next((found for found in problems if found["type"] == _UNKNOWN), problems[0])
        sentence = _sentence(problem["loc"], problem["type"], file)
        origin = variables.get(_key_of(problem["loc"]))
        raise ConfigError(f"{sentence} (It was read from {origin[0]}.)" if origin else sentence) from None


def _read_file(path: Path, *, needed: bool) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if needed:
            raise ConfigError(f"There is no configuration file {path}.") from None
        return {}
    except UnicodeDecodeError:
        raise ConfigError(f"The configuration file {path} is not UTF-8 text.") from None
    except OSError as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error.strerror}.") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _LINE_AND_COLUMN.search(str(error))
        place = f" at {where[1]}" if where else ""
        raise ConfigError(f"The configuration file {path} is not valid TOML{place}.") from None


_Key = tuple[str, str]


def _read_environment(env: Mapping[str, str]) -> Iterator[tuple[_Key, tuple[str, object]]]:
    """Yield each setting of the environment with its variable's name; raises ConfigError for an unknown one."""
    for variable, key in ALIASES.items():
        if value := env.get(variable):
            yield key, (variable, value)
    for variable, value in env.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE or not value:
            continue
        section, separator, key = variable.removeprefix(PREFIX).lower().partition(SEPARATOR)
        if not separator or key not in _keys_of(section):
            names = [_variable_of(*known) for known in _all_keys()]
            raise ConfigError(_unknown(variable, {name.lower(): name for name in names}))
        yield (section, key), (variable, _parse(value, is_list=(section, key) in _LISTS))


_LISTS: Final = frozenset({("discord", "shard_ids"), ("vault", "keys"), ("relay", "answer_bot_ids")})


def _parse(value: str, *, is_list: bool) -> object:
    if not is_list:
        return value
    if value.lstrip().startswith("["):
        try:
            return cast("object", json.loads(value))
        except ValueError:
            return value
    return [word.strip() for word in value.split(",") if word.strip()]


def _keys_of(section: str) -> Mapping[str, str]:
    """Return the keys of a section with their rules; empty for a section that there is not."""
    field = Settings.model_fields.get(section)
    if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
        return {}
    return {name: info.description or "" for name, info in field.annotation.model_fields.items()}


def _all_keys() -> Iterator[_Key]:
    for section in Settings.model_fields:
        for key in _keys_of(section):
            yield section, key


def _variable_of(section: str, key: str) -> str:
    return f"{PREFIX}{section}{SEPARATOR}{key}".upper()


def _key_of(loc: tuple[int | str, ...]) -> _Key:
    words = [str(part) for part in loc]
    return (words[0], words[1] if len(words) > 1 else "") if words else ("", "")


_UNKNOWN: Final = "extra_forbidden"
"""Pydantic's error type of a name that there is not."""
_SENTENCES: Final[Mapping[str, str]] = {
    "placeholder": "{name} still has the placeholder of a sample file; set it to {rule}.",
    "secret_length": "{name} is too short to be {rule}.",
    "shards": "discord.shard_ids needs discord.shard_count, and every id must be below it.",
    "ratings": "content.restricted_max must not be below content.default_max.",
}
"""By pydantic's error type; every other type says what the key must be."""


def _sentence(loc: tuple[int | str, ...], kind: str, file: Path) -> str:
    """Say what is wrong, from pydantic's loc and type alone: its own text would repeat the value.

    `file` is the one that was read, or would have been if it were there.
    """
    section, key = _key_of(loc)
    name = f"{section}.{key}" if key else section
    if kind == _UNKNOWN:
        return _unknown(name, {".".join(pair): ".".join(pair) for pair in _all_keys()} if key else _top_spellings())
    if not key and kind not in _SENTENCES:
        return f"{name} must be a table of settings, written [{name}]."
    rule = _keys_of(section).get(key, "")
    if kind == "missing":
        aliases = [alias for alias, target in ALIASES.items() if target == (section, key)]
        variables = " or ".join([_variable_of(section, key), *aliases])
        place = f"{file.absolute()}{'' if file.exists() else f' (not there yet: copy {EXAMPLE_FILE} to it)'}"
        return f"{name} is not set: it must be {rule}, in the file {place} or as {variables} in the environment."
    return _SENTENCES.get(kind, "{name} must be {rule}.").format(name=name, rule=rule)


def _top_spellings() -> Mapping[str, str]:
    """Return what may be meant by a name outside of every table: a table, or a key without its table."""
    spellings = {section: section for section in Settings.model_fields}
    for section, key in _all_keys():
        for spelling in (key, f"{section}_{key}", f"{section}.{key}"):
            spellings.setdefault(spelling, f"{section}.{key}")
    return spellings


def _unknown(name: str, known: Mapping[str, str]) -> str:
    """Say that there is no such setting; `known` are names by their spellings in lower case."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"{name} is not a setting{f'; did you mean {known[close[0]]}?' if close else '.'}"
