from bot.domain.start_wording import closed_for_good, discord_trouble


def test_numbers_are_told_for_whoever_looks_them_up() -> None:
    assert "HTTP 503" in discord_trouble(503)
    assert "close code 4010" in closed_for_good(4010)
