"""The promise: each message belongs to one turn, and each turn has one visible reply or one visible mark."""

from pathlib import Path

from tests.end_to_end.kill_run import Plan, run


async def test_every_turn_ends_visibly_once_though_the_process_is_killed_and_the_gateway_dropped(
    tmp_path: Path,
) -> None:
    findings = await run(Plan(seed=1, channels=20, messages=200, kills=10, drops=10), tmp_path)
    assert findings.problems == []
    assert findings.turns >= 40
