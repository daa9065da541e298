import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.alerts import AlertKind, Severity
from intelligence.gates import Loudness, Mute, OwnThreshold, Preferences, QuietHours
from intelligence.preferences import (
    MOST,
    NotPossible,
    SetBudget,
    SetDigest,
    SetLoudness,
    SetMute,
    SetQuietHours,
    SetThreshold,
    SetZone,
    TakeMutesBack,
    Unwatch,
    Watch,
    changed,
)

NOW_MS = 1_000_000
OI, CASCADE = AlertKind.OPEN_INTEREST, AlertKind.CASCADE


def after(*changes, chosen=None):
    chosen = chosen or Preferences()
    for change in changes:
        chosen = changed(chosen, change, NOW_MS)
    return chosen


def muted(asset=None, kind=None, until_ms=NOW_MS + 1):
    return SetMute(mute=Mute(asset=asset, kind=kind, until_ms=until_ms))


def test_families_and_severities_are_made_louder_and_quieter_one_by_one():
    chosen = after(
        SetLoudness(of=OI, loudness=Loudness.OFF),
        SetLoudness(of=CASCADE, loudness=Loudness.SILENT),
        SetLoudness(of=Severity.P3, loudness=Loudness.OFF),
        SetLoudness(of=OI, loudness=Loudness.LOUD),
    )

    assert chosen.kinds == {OI: Loudness.LOUD, CASCADE: Loudness.SILENT}
    assert chosen.severities == {Severity.P3: Loudness.OFF}


def test_watched_assets_join_each_other_and_all_ends_that():
    assert after(Watch(assets=("BTC",)), Watch(assets=("SOL", "BTC"))).assets == ("BTC", "SOL")
    assert after(Watch(assets=("BTC",)), Watch()).assets == ()


def test_the_last_watched_asset_stays_for_none_would_mean_all():
    chosen = after(Watch(assets=("BTC", "SOL")), Unwatch(assets=("BTC",)))
    assert chosen.assets == ("SOL",)

    with pytest.raises(NotPossible, match="last one"):
        after(Unwatch(assets=("SOL",)), chosen=chosen)


def test_where_all_is_watched_nothing_can_be_left_out():
    with pytest.raises(NotPossible, match="/mute"):
        after(Unwatch(assets=("SOL",)))


def test_an_own_threshold_replaces_that_of_the_same_asset_and_family():
    chosen = after(
        SetThreshold(kind=OI, value=10.0),
        SetThreshold(kind=OI, value=12.0, asset="SOL"),
        SetThreshold(kind=OI, value=15.0),
    )
    assert set(chosen.own_thresholds) == {
        OwnThreshold(kind=OI, value=15.0),
        OwnThreshold(kind=OI, value=12.0, asset="SOL"),
    }

    assert after(SetThreshold(kind=OI, value=None), chosen=chosen).own_thresholds == (chosen.own_thresholds[0],)


def test_a_mute_given_twice_is_one_and_those_that_are_over_are_forgotten():
    old = Preferences(mutes=(Mute(asset="ETH", until_ms=NOW_MS), Mute(asset="ADA")))

    chosen = after(muted("SOL", OI), muted("SOL", OI, NOW_MS + 2), chosen=old)

    assert chosen.mutes == (Mute(asset="ADA"), Mute(asset="SOL", kind=OI, until_ms=NOW_MS + 2))


def test_mutes_are_taken_back_by_asset_by_family_or_all():
    chosen = after(muted("SOL", OI), muted("SOL"), muted("BTC", OI))

    assert len(after(TakeMutesBack(asset="SOL"), chosen=chosen).mutes) == 1
    assert len(after(TakeMutesBack(kind=OI), chosen=chosen).mutes) == 1
    assert len(after(TakeMutesBack(asset="SOL", kind=OI), chosen=chosen).mutes) == 2
    assert after(TakeMutesBack(), chosen=chosen).mutes == ()
    with pytest.raises(NotPossible):
        after(TakeMutesBack(asset="ADA"), chosen=chosen)


def test_quiet_hours_budget_digest_and_zone_are_set_and_taken_back():
    quiet = QuietHours(from_minute=0, to_minute=60, zone="UTC")
    chosen = after(
        SetQuietHours(quiet=quiet), SetBudget(pushes_a_day=3), SetDigest(minute=480), SetZone(zone="Asia/Tokyo")
    )

    assert (chosen.quiet, chosen.pushes_a_day, chosen.digest_minute, chosen.zone) == (quiet, 3, 480, "Asia/Tokyo")
    assert after(SetQuietHours(quiet=None), SetBudget(pushes_a_day=None), SetDigest(minute=None), chosen=chosen) == (
        Preferences(zone="Asia/Tokyo", digest_off=True)
    )


def test_lists_are_bounded():
    with pytest.raises(NotPossible, match=str(MOST)):
        after(Watch(assets=tuple(map(str, range(MOST + 1)))))


CHANGES = st.one_of(
    st.builds(SetLoudness, of=st.sampled_from([*AlertKind, *Severity]), loudness=st.sampled_from(Loudness)),
    st.builds(Watch, assets=st.lists(st.sampled_from("ABC"), max_size=2).map(tuple)),
    st.builds(Unwatch, assets=st.lists(st.sampled_from("ABC"), max_size=2).map(tuple)),
    st.builds(
        SetThreshold,
        kind=st.sampled_from(AlertKind),
        value=st.none() | st.floats(1, 9),
        asset=st.sampled_from(["A", None]),
    ),
    st.builds(muted, st.sampled_from(["A", None]), st.sampled_from([OI, None])),
    st.builds(TakeMutesBack, asset=st.sampled_from(["A", None]), kind=st.sampled_from([OI, None])),
)


@given(st.lists(CHANGES, max_size=12))
def test_any_change_given_twice_is_the_same_as_once(changes):
    chosen = Preferences()
    for change in changes:
        try:
            once = changed(chosen, change, NOW_MS)
        except NotPossible:
            continue
        try:
            assert changed(once, change, NOW_MS) == once
        except NotPossible:
            assert isinstance(change, Unwatch | TakeMutesBack)
        chosen = once
