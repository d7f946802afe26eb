"""The promise: each message belongs to one turn, and each turn has one visible reply or one visible mark."""

from pathlib import Path

from tests.end_to_end.kill_run import Plan, run


async def test_every_turn_shows_its_whole_reply_or_a_mark_though_the_process_is_killed_and_the_gateway_dropped(
    tmp_path: Path,
) -> None:
    plan = Plan(seed=1, channels=20, messages=200, kills=10, drops=10)
    findings = await run(plan, tmp_path)
    assert findings.problems == []
    assert findings.turns >= 40
    # More than the greetings; and kills that met replies in mid-sentence, which are what is in question here.
    assert findings.answered > plan.channels
    assert findings.cut > 0
