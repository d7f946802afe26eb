"""The tour, by the README's command, on a machine whose settings lead elsewhere."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TOUR_SECONDS: Final = 60.0


async def test_the_tour_succeeds_and_touches_nothing_outside(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    elsewhere = f"[discord]\ntoken = 'fake-real-token'\n[database]\nurl = 'sqlite:///{home}/by_file.db'\n"
    (home / "config.toml").write_text(elsewhere, "utf-8")
    (home / "named.toml").write_text(elsewhere, "utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "BOT_CONFIG": str(home / "named.toml"),
        "BOT_DATABASE__URL": f"sqlite:///{home}/by_variable.db",
        "BOT_DISCORD__API_URL": "http://127.0.0.1:9/api/v10",
        "DISCORD_TOKEN": "fake-real-token",
        "NANOGPT_API_KEY": "sk-nano-fake-real-key",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--tour"),
        cwd=home,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TOUR_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    transcript = out.decode()
    assert (process.returncode, err.decode()) == (0, ""), transcript
    assert "✗" not in transcript
    assert transcript.count("  ✓ ") > 30
    for shown in ("Helpful Guide APP", "(only you see this)", "[★ Rate] [⚑ Report]", "```python"):
        assert shown in transcript
    assert {path.name for path in home.iterdir()} == {"config.toml", "named.toml"}
    assert list(temporary.iterdir()) == []
