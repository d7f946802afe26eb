"""Settings come from file and environment, are checked, and errors name the key and never the value."""

import base64
import os
import tomllib
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from bot.config import ALIASES, ConfigError, Settings, load_settings
from bot.domain.ratings import ContentLimits, ContentRating

TOKEN = "fake-discord-token"
KEY = "sk-nano-fake-operator"
ENOUGH = {"DISCORD_TOKEN": TOKEN, "NANOGPT_API_KEY": KEY}
EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
VAULT_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(directory: Path, text: str, name: str = "config.toml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(text: str = "", **env: str) -> str:
    """Load what has to be refused; return the sentence."""
    path = write(Path.cwd(), text, "given.toml")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {**ENOUGH, **env})
    assert str(caught.value) == caught.value.sentence
    return caught.value.sentence


def test_the_two_secrets_are_enough_and_all_else_has_its_default() -> None:
    settings = load_settings(None, ENOUGH)
    assert settings.discord.token.get_secret_value() == TOKEN
    assert settings.nanogpt.api_key.get_secret_value() == KEY
    assert settings.discord.api_url == "https://discord.com/api/v10"
    assert settings.discord.gateway_url == "wss://gateway.discord.gg/"
    assert settings.discord.cdn_url == "https://cdn.discordapp.com"
    assert (settings.discord.shard_ids, settings.discord.shard_count) == (None, None)
    assert settings.nanogpt.base_url == "https://nano-gpt.com/api/v1"
    assert settings.nanogpt.responses_url == "https://api.nano-gpt.com/api/v1"
    assert (settings.nanogpt.max_concurrent, settings.nanogpt.requests_per_second) == (32, 20)
    assert settings.nanogpt.max_output_tokens is None
    assert settings.database.path == Path("data/bot.db")
    assert settings.vault_key_file == Path("data/bot.key")
    assert settings.health_file == Path("data/bot.alive")
    assert settings.content.limits == ContentLimits(ContentRating.SFW, ContentRating.NSFW)
    assert settings.relay.history_characters == 24_000
    assert settings.relay.first_text_delay_seconds == 0.1
    assert settings.limits.member_messages_per_day == 200
    assert settings.privacy.retention_days == 30
    assert settings.logging.level == "INFO"


def test_the_example_file_loads_and_states_every_key_with_its_default() -> None:
    settings = load_settings(EXAMPLE, ENOUGH)
    assert settings.model_dump() == load_settings(None, ENOUGH).model_dump()
    text = EXAMPLE.read_text(encoding="utf-8")
    stated = tomllib.loads(text)
    for section, table in settings.model_dump().items():
        assert section in stated
        for key, value in table.items():
            assert key in stated[section] or (value is None and f"\n# {key} = " in text), f"{section}.{key}"


def test_every_key_of_the_example_file_has_a_line_that_says_why() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    keys = [index for index, line in enumerate(lines) if " = " in line.removeprefix("# ") and "__" not in line]
    assert len(keys) == 40
    assert all(lines[index - 1].startswith("# ") for index in keys)


def test_optional_lines_of_the_example_file_load_when_their_mark_is_taken_away() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = ("shard_ids", "shard_count", "max_output_tokens", "key_file", "policy_url", "operator_contact", "file")
    for key in keys:
        text = text.replace(f"\n# {key} = ", f"\n{key} = ")
    settings = load_settings(write(Path.cwd(), text), ENOUGH)
    assert settings.discord.shard_ids == (0, 1)
    assert settings.nanogpt.max_output_tokens == 800
    assert settings.vault_key_file == Path("/srv/character-bot/keys/bot.key")
    assert settings.health_file == Path("/tmp/bot.alive")  # noqa: S108 - the example's own path, never opened
    assert settings.privacy.policy_url == "https://example.org/privacy"


def test_the_example_file_as_it_stands_is_refused_for_its_placeholder() -> None:
    with pytest.raises(ConfigError, match=r"discord\.token still has the placeholder"):
        load_settings(EXAMPLE, {})


def test_the_environment_goes_above_the_file_and_prefixed_names_above_the_short_ones() -> None:
    path = write(Path.cwd(), '[discord]\ntoken = "from-file"\n[relay]\nqueue_limit = 5\nhistory_messages = 6\n')
    env = {**ENOUGH, "BOT_RELAY__QUEUE_LIMIT": "7", "BOT_DISCORD__TOKEN": "from-prefixed"}
    settings = load_settings(path, env)
    assert (settings.relay.queue_limit, settings.relay.history_messages) == (7, 6)
    assert settings.discord.token.get_secret_value() == "from-prefixed"
    assert load_settings(path, ENOUGH).discord.token.get_secret_value() == TOKEN


def test_the_file_is_the_given_one_then_the_named_one_then_the_usual_one() -> None:
    write(Path.cwd(), "[relay]\nqueue_limit = 1\n")
    named = write(Path.cwd(), "[relay]\nqueue_limit = 2\n", "named.toml")
    given = write(Path.cwd(), "[relay]\nqueue_limit = 3\n", "given.toml")
    env = {**ENOUGH, "BOT_CONFIG": str(named)}
    assert load_settings(given, env).relay.queue_limit == 3
    assert load_settings(None, env).relay.queue_limit == 2
    assert load_settings(None, ENOUGH).relay.queue_limit == 1


def test_the_environment_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_RELAY__QUEUE_LIMIT", "9")
    monkeypatch.setenv("RELAY", '{"queue_limit": 8}')
    monkeypatch.setenv("DISCORD_TOKEN", "fake-process-token")
    assert os.environ["RELAY"]
    assert load_settings(None, ENOUGH).relay.queue_limit == 20
    with pytest.raises(ConfigError, match=r"discord\.token is not set"):
        load_settings(None, {})


def test_an_empty_variable_is_an_absent_one() -> None:
    env = {**ENOUGH, "BOT_RELAY__QUEUE_LIMIT": "", "BOT_DISCORD__TOKEN": "", "BOT_CONFIG": "", "BOT_X": ""}
    assert load_settings(None, env).relay.queue_limit == 20


@pytest.mark.parametrize("given", ["1, 2,3", "[1, 2, 3]", '["1", "2", "3"]'])
def test_a_list_in_the_environment_is_words_or_json(given: str) -> None:
    settings = load_settings(None, {**ENOUGH, "BOT_RELAY__ANSWER_BOT_IDS": given})
    assert settings.relay.answered_bots == {1, 2, 3}


def test_settings_cannot_be_changed() -> None:
    settings = load_settings(None, ENOUGH)
    with pytest.raises(ValidationError):
        settings.relay.queue_limit = 1  # pyright: ignore[reportAttributeAccessIssue] - that it is refused is the point


def test_secrets_do_not_show_and_are_known_to_the_log() -> None:
    settings = load_settings(None, {**ENOUGH, "BOT_VAULT__KEYS": VAULT_KEY})
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.discord}"
    for secret in (TOKEN, KEY, VAULT_KEY):
        assert secret not in shown
        assert secret in settings.secrets


@pytest.mark.parametrize("spelling", [VAULT_KEY, VAULT_KEY.rstrip("="), f" {VAULT_KEY}\n"])
def test_a_vault_key_is_base64_of_thirty_two_bytes(spelling: str) -> None:
    settings = load_settings(None, {**ENOUGH, "BOT_VAULT__KEYS": f"{spelling},{VAULT_KEY}"})
    assert [key.get_secret_value() for key in settings.vault.keys] == [VAULT_KEY] * 2


def test_a_vault_key_may_be_url_safe() -> None:
    key = bytes([0xFB, 0xFF] * 16)
    spelled = base64.urlsafe_b64encode(key).decode()
    settings = load_settings(None, {**ENOUGH, "BOT_VAULT__KEYS": spelled})
    assert base64.b64decode(settings.vault.keys[0].get_secret_value()) == key


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///data/x.db", "data/x.db"), ("sqlite:////srv/x.db", "/srv/x.db"), ("sqlite:///x.db", "x.db")],
)
def test_a_database_url_names_a_file(url: str, path: str) -> None:
    settings = load_settings(None, {**ENOUGH, "BOT_DATABASE__URL": url})
    assert settings.database.path == Path(path)


def test_addresses_lose_a_slash_at_the_end_and_secrets_the_space_around_them() -> None:
    env = {"DISCORD_TOKEN": f" {TOKEN}\n", "NANOGPT_API_KEY": KEY, "BOT_NANOGPT__BASE_URL": "http://127.0.0.1:8/v1/"}
    settings = load_settings(None, env)
    assert settings.discord.token.get_secret_value() == TOKEN
    assert settings.nanogpt.base_url == "http://127.0.0.1:8/v1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[relay]\nqueue_limit = 'SECRET'", "relay.queue_limit"),
        ("[relay]\nqueue_limit = 0", "relay.queue_limit"),
        ("[relay]\nfeedback_buttons = 'SECRET'", "relay.feedback_buttons"),
        ("[relay]\nanswer_bot_ids = ['SECRET']", "relay.answer_bot_ids"),
        ("[relay]\ndrain_seconds = nan", "relay.drain_seconds"),
        ("[discord]\ncdn_url = 'ftp://SECRET'", "discord.cdn_url"),
        ("[discord]\napi_url = 'http://[SECRET'", "discord.api_url"),
        ("[discord]\ngateway_url = 'https://SECRET'", "discord.gateway_url"),
        ("[discord]\nshard_ids = [0]", "discord.shard_ids"),
        ("[discord]\nshard_ids = [2]\nshard_count = 2", "discord.shard_ids"),
        ("[nanogpt]\nrequests_per_second = 25", "nanogpt.requests_per_second"),
        ("[nanogpt]\nconnect_timeout_seconds = inf", "nanogpt.connect_timeout_seconds"),
        ("[nanogpt]\nmax_output_tokens = 15", "nanogpt.max_output_tokens"),
        ("[database]\nurl = 'postgres://SECRET'", "database.url"),
        ("[database]\nurl = 'sqlite:///:memory:'", "database.url"),
        ("[database]\nurl = 'sqlite:///'", "database.url"),
        ("[vault]\nkeys = ['SECRET']", "vault.keys"),
        ("[vault]\nkeys = ['U0VDUkVU']", "vault.keys"),
        ("[vault]\nkeys = ['SECRET!']", "vault.keys"),
        ("[content]\ndefault_max = 'SECRET'", "content.default_max"),
        ("[content]\ndefault_max = 'explicit'", "content.restricted_max"),
        ("[privacy]\nretention_days = 0", "privacy.retention_days"),
        ("[logging]\nlevel = 'SECRET'", "logging.level"),
        ("relay = 'SECRET'", "relay"),
        ("discord = 'SECRET'", "discord"),
        ("[relay]\nhistroy_messages = 1", "relay.histroy_messages"),
        ("[rely]\nqueue_limit = 1", "rely"),
        ("stray = 'SECRET'", "stray"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_key_and_not_the_value(text: str, key: str) -> None:
    sentence = refused(text)
    assert sentence.startswith(key)
    assert sentence.endswith((".", "?", "]."))
    assert "SECRET" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[relay]\nqueue_limit = 0", "relay.queue_limit must be a whole number from 1 to 1000."),
        (
            "[relay]\nhistroy_messages = 1",
            "relay.histroy_messages is not a setting; did you mean relay.history_messages?",
        ),
        ("[relay]\nzebra = 1", "relay.zebra is not a setting."),
        ("relay = 1", "relay must be a table of settings, written [relay]."),
    ],
)
def test_the_sentence_says_what_to_do(text: str, sentence: str) -> None:
    assert refused(text) == sentence


@pytest.mark.parametrize(
    ("key", "value"), [("queue_limit", "SECRET"), ("answer_bot_ids", '["SECRET"'), ("answer_bot_ids", "1,SECRET")]
)
def test_a_wrong_value_of_the_environment_names_its_variable(key: str, value: str) -> None:
    variable = f"BOT_RELAY__{key.upper()}"
    sentence = refused(**{variable: value})
    assert sentence.startswith(f"relay.{key} must be")
    assert variable in sentence
    assert "SECRET" not in sentence


@pytest.mark.parametrize("variable", ["BOT_RELAY__QUEUE_LIMITS", "BOT_RELY__QUEUE_LIMIT", "BOT_TOKEN", "BOT_RELAY"])
def test_an_unknown_variable_is_refused_by_name(variable: str) -> None:
    sentence = refused(**{variable: "SECRET"})
    assert sentence.startswith(f"{variable} is not a setting")
    assert "SECRET" not in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[discord]\ntokn = 'SECRET'", "discord.tokn is not a setting; did you mean discord.token?"),
        ("[discrod]\ntoken = 'SECRET'", "discrod is not a setting; did you mean discord?"),
        ("discord_token = 'SECRET'", "discord_token is not a setting; did you mean discord.token?"),
        ("DISCORD_TOKEN = 'SECRET'", "DISCORD_TOKEN is not a setting; did you mean discord.token?"),
        ("NANOGPT_API_KEY = 'SECRET'", "NANOGPT_API_KEY is not a setting; did you mean nanogpt.api_key?"),
        ("token = 'SECRET'", "token is not a setting; did you mean discord.token?"),
        ("[nanogpt]\napikey = 'SECRET'", "nanogpt.apikey is not a setting; did you mean nanogpt.api_key?"),
        (
            "[discord]\ntoken = 'your-discord-bot-token'\n[nanogpt]\napikey = 'SECRET'",
            "nanogpt.apikey is not a setting; did you mean nanogpt.api_key?",
        ),
    ],
)
def test_a_misspelt_secret_is_told_before_the_one_that_is_missing(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(Path.cwd(), text), {})
    assert caught.value.sentence == sentence


@pytest.mark.parametrize("variable", ["BOT_DISCORD__TOKN", "BOT_DISCORD_TOKEN", "BOT_DISCROD__TOKEN"])
def test_a_misspelt_variable_is_told_before_the_secret_that_is_missing(variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {variable: "SECRET"})
    assert caught.value.sentence == f"{variable} is not a setting; did you mean BOT_DISCORD__TOKEN?"


@pytest.mark.parametrize(
    "placeholder",
    [
        "your-discord-bot-token",
        "YOUR_TOKEN",
        "<token>",
        "changeme",
        "change-me",
        "xxxxxxxx",
        "...",
        "paste-token-here",
        "put_your_token_here",
        "${DISCORD_TOKEN}",
        "token",
        "todo",
    ],
)
@pytest.mark.parametrize("variable", list(ALIASES))
def test_a_placeholder_is_refused(placeholder: str, variable: str) -> None:
    sentence = refused(**{variable: placeholder})
    assert "still has the placeholder" in sentence
    assert sentence.startswith(".".join(ALIASES[variable]))
    assert placeholder.lower() not in sentence.removeprefix("discord.token").lower().split()


@pytest.mark.parametrize("value", ["x", "..", "Q", "Qz7-Qz7"])
def test_a_secret_that_is_too_short_is_refused_for_that(value: str) -> None:
    assert refused(NANOGPT_API_KEY=value) == (
        "nanogpt.api_key is too short to be a NanoGPT API key. (It was read from NANOGPT_API_KEY.)"
    )
    sentence = refused(f"[discord]\ntoken = '{value}'", DISCORD_TOKEN="")
    assert sentence.startswith("discord.token is too short to be a bot token, ")


@pytest.mark.parametrize(
    "real",
    [
        "MTA4NjU0MzIxMDk4NzY1NDMyMQ.GaBcDe.yourAbCdEfGhIjKlMnOpQrStUvWxYz0123456",
        "sk-nano-00000000-0000-4000-8000-000000000000",
        "00000000-0000-4000-8000-000000000000",
        "testing-token-of-a-sandbox",
    ],
)
def test_what_could_be_a_secret_is_taken(real: str) -> None:
    assert load_settings(None, {"DISCORD_TOKEN": real, "NANOGPT_API_KEY": real}).secrets == (real, real)


@pytest.mark.parametrize("value", ["two words", "Bot abc", "a\tb", "  "])
def test_a_secret_with_space_in_it_is_refused(value: str) -> None:
    assert refused(DISCORD_TOKEN=value).startswith("discord.token must be a bot token")


def test_a_missing_secret_says_where_to_put_it() -> None:
    path = write(Path.cwd(), "[relay]\nqueue_limit = 1\n", "named.toml")
    for given, env in ((path, {}), (Path("named.toml"), {}), (None, {"BOT_CONFIG": "named.toml"})):
        with pytest.raises(ConfigError) as caught:
            load_settings(given, {"DISCORD_TOKEN": TOKEN, **env})
        assert caught.value.sentence == (
            f"nanogpt.api_key is not set: it must be a NanoGPT API key, in the file {path} or as BOT_NANOGPT__API_KEY"
            " or NANOGPT_API_KEY in the environment."
        )


def test_a_missing_secret_says_how_to_begin_where_there_is_no_file() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {"DISCORD_TOKEN": TOKEN})
    assert caught.value.sentence == (
        f"nanogpt.api_key is not set: it must be a NanoGPT API key, in the file {Path.cwd() / 'config.toml'} (not there"
        " yet: copy config.example.toml to it) or as BOT_NANOGPT__API_KEY or NANOGPT_API_KEY in the environment."
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[discord\ntoken = 'SECRET'", "is not valid TOML at line 1, column 9."),
        (b"[discord]\ntoken = SECRET", "is not valid TOML at line 2, column 9."),
        (b"[discord]\ntoken = '\xff'", "is not UTF-8 text."),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_place(content: bytes, says: str) -> None:
    path = Path("broken.toml")
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, ENOUGH)
    assert caught.value.sentence == f"The configuration file broken.toml {says}"


@pytest.mark.parametrize("env", [{}, {"BOT_CONFIG": "missing.toml"}])
def test_a_file_that_was_asked_for_must_be_there(env: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"There is no configuration file missing\.toml\."):
        load_settings(None if env else Path("missing.toml"), {**ENOUGH, **env})


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\."):
        load_settings(tmp_path, ENOUGH)


def test_no_error_of_pydantic_hangs_on_the_one_that_is_raised() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {**ENOUGH, "BOT_RELAY__QUEUE_LIMIT": "SECRET"})
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_every_setting_has_a_rule_to_be_told() -> None:
    for section, field in Settings.model_fields.items():
        annotation = cast("type[Settings]", field.annotation)
        for key, info in annotation.model_fields.items():
            assert info.description, f"{section}.{key}"
