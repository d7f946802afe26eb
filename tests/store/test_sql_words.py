"""SQL that PostgreSQL could run too: no word of SQLite's own, values by number, the numbers without a gap."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import bot.store

STORE = Path(bot.store.__file__).parent
EXEMPT = {"database.py", "__init__.py", "inspection.py"}
"""They speak to SQLite itself: pragmas, and the table of migrations."""
STATEMENT = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", re.IGNORECASE)
SQLITE_ONLY = (
    r"INSERT\s+OR\b",
    r"\bREPLACE\s+INTO\b",
    r"\bUPDATE\s+OR\b",
    r"\browid\b",
    r"\bPRAGMA\b",
    r"\bsqlite_\w+",
    r"\bjson_\w+\s*\(",
    r"->",
    r"\bdatetime\s*\(",
    r"\bdate\s*\(",
    r"\bstrftime\s*\(",
    r"\bjulianday\s*\(",
    r"\bunixepoch\s*\(",
    r"\bifnull\s*\(",
    r"\biif\s*\(",
    r"\btotal\s*\(",
    r"\bgroup_concat\s*\(",
    r"\bhex\s*\(",
    r"\binstr\s*\(",
    r"\bchanges\s*\(",
    r"\blast_insert_rowid\b",
    r"\bprintf\s*\(",
    r"\bGLOB\b",
    r"\bCOLLATE\s+NOCASE\b",
    r"\bAUTOINCREMENT\b",
    r"\bIS\s+(NOT\s+)?\$",
    r"\b(MAX|MIN)\s*\([^()]*,",
    r"\?",
    r":[a-z_]+\b",
    r"@[a-z_]+\b",
    r'"',
    r"`",
    r"\bLIMIT\s+\S+\s*,",
    r"\bIN\s+\(\s*\)",
    r"==",
    r"\bx'[0-9a-f]*'",
)
ORDERED_CHANGES = re.compile(r"^\s*(UPDATE|DELETE)\b(?:(?!\().)*\b(LIMIT|ORDER BY)\b", re.IGNORECASE | re.DOTALL)
"""PostgreSQL takes LIMIT in a subquery only."""


@dataclass(frozen=True)
class Sql:
    where: str
    text: str
    whole: bool
    """False for a text with a part put in, whose numbers may be in that part."""


def texts(tree: ast.Module, name: str) -> Iterator[Sql]:
    skipped = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    skipped |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # Docstrings.
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text, whole = node.value, True
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else " inserted " for part in node.values)
            whole = False
        else:
            continue
        if STATEMENT.match(text):
            yield Sql(f"{name}:{node.lineno}", text, whole)


FOUND = [
    sql
    for file in sorted(STORE.rglob("*.py"))
    if file.name not in EXEMPT
    for sql in texts(ast.parse(file.read_text(encoding="utf-8")), file.name)
]


def test_the_statements_are_found() -> None:
    assert len(FOUND) > 80
    assert {sql.where.partition(":")[0] for sql in FOUND} >= {"turns.py", "posts.py", "bindings.py", "retention.py"}


@pytest.mark.parametrize("sql", FOUND, ids=lambda sql: sql.where)
def test_a_statement_has_nothing_that_only_sqlite_knows(sql: Sql) -> None:
    assert [word for word in SQLITE_ONLY if re.search(word, sql.text, re.IGNORECASE)] == []
    assert not ORDERED_CHANGES.match(sql.text)


@pytest.mark.parametrize("sql", [sql for sql in FOUND if sql.whole], ids=lambda sql: sql.where)
def test_values_are_numbered_from_one_without_a_gap(sql: Sql) -> None:
    numbers = {int(number) for number in re.findall(r"\$(\d+)", sql.text)}
    assert numbers == set(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT OR IGNORE INTO a VALUES ($1)",
        "SELECT rowid FROM a",
        "SELECT * FROM a WHERE x = ?",
        "SELECT max(a, b) FROM c",
        "SELECT * FROM a WHERE x IS $1",
        'SELECT * FROM a WHERE x = "word"',
        "DELETE FROM a WHERE x < $1 LIMIT 5",
        "SELECT datetime('now')",
    ],
)
def test_the_check_would_notice(text: str) -> None:
    (sql,) = texts(ast.parse(f"sql = {text!r}"), "example.py")
    assert any(re.search(word, sql.text, re.IGNORECASE) for word in SQLITE_ONLY) or ORDERED_CHANGES.match(sql.text)
