"""Counting what a replay raised and what of it went out."""

from benchmarks.pushes.counting import Family, counted


def test_what_was_held_back_is_raised_and_not_sent():
    found = counted(
        [
            ("liquidation", "BTC", "static", "", 0),
            ("liquidation", "BTC", "static", "", 1),
            ("liquidation", "BTC", "tiered", "inhibited:abc", 0),
            ("cascade", "BTC", "static", None, 0),
        ]
    )
    singles = found[Family("liquidation", "BTC")]

    assert (singles.raised, singles.sent, singles.loud) == (3, 2, 1)
    assert singles.held == {"inhibited": 1}
    assert singles.sources == {"static": 2, "tiered": 1}
    assert found[Family("cascade", "BTC")].sent == 1
