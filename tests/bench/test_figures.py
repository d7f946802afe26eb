import pytest

from tests.bench.figures import Aim, Table, percentile


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.5, 3), (0.95, 5), (1.0, 5)],
)
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == expected


@pytest.mark.parametrize(
    ("aim", "figure", "ratio", "met"),
    [
        (Aim(10), 9.9, None, True),
        (Aim(10), 10.1, 0.5, False),
        (Aim(1.5, of_ratio=True), 99, 1.5, True),
        (Aim(1.5, of_ratio=True), 1, 1.6, False),
        (Aim(0.6, of_ratio=True, at_least=True), 1, 0.7, True),
        (Aim(0.6, of_ratio=True, at_least=True), 1, 0.5, False),
        (Aim(0.6, of_ratio=True, at_least=True), 1, None, None),
    ],
)
def test_an_aim_is_of_the_figure_or_of_its_ratio_to_the_floor(
    aim: Aim, figure: float, ratio: float | None, *, met: bool | None
) -> None:
    assert aim.met(figure, ratio) is met


def test_a_table_sets_the_bot_beside_the_floor() -> None:
    table = Table()
    table.add("CPU", "ms", 4, 6, Aim(1.5, of_ratio=True))
    table.add("first text", "ms", None, 129.4, Aim(150))
    table.add("calls", "", 0, 1)
    assert table.markdown().splitlines()[2:] == [
        "| CPU, ms | 4.00 | 6.00 | 1.50 | ≤ 1.5 x floor | met |",
        "| first text, ms | - | 129 | - | ≤ 150 | met |",
        "| calls | 0.00 | 1.00 | - |  |  |",
    ]
