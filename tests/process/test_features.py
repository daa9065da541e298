"""Enhancements beside core detection: whatever they do, it gives exactly the alerts that it gives without them."""

import os
import threading
import time

import pytest

from actors import outcome_ledger, threshold_calculator, volume_watch, zone_watch
from actors.messages.market import AskMarket, MinuteClosed
from actors.supervised import Supervised
from tests.whole_tree import STREAM, Doorstep, WholeTree, core_journal, play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FEATURES = {
    # path: the switch, the module behind it, its actor, and a setting that is wrong
    "/features/volume": (
        "ENABLE_VOLUME_MONITORING",
        "actors.volume_watch",
        volume_watch.VolumeWatch,
        {"FORESHOCK_VOLUME__MULTIPLE": "many"},
    ),
    "/features/thresholds": (
        "ENABLE_DYNAMIC_THRESHOLDS",
        "actors.threshold_calculator",
        threshold_calculator.ThresholdCalculator,
        {"FORESHOCK_THRESHOLDS__REVIEW_S": "soon"},
    ),
    "/features/zones": (
        "ENABLE_PREDICTIVE_ZONES",
        "actors.zone_watch",
        zone_watch.ZoneWatch,
        {"FORESHOCK_ZONES__NONSENSE": "1"},
    ),
    "/features/outcomes": (
        "FORESHOCK_OUTCOMES__ENABLED",
        "actors.outcome_ledger",
        outcome_ledger.OutcomeLedger,
        {"FORESHOCK_OUTCOMES__NONSENSE": "1"},
    ),
}
OFF = dict.fromkeys((switch for switch, *_ in FEATURES.values()), "false")
ERRORS = (RuntimeError, SystemExit, KeyboardInterrupt)
EVERY_CASE = "EVERY_CASE" in os.environ  # `make features`: five minutes more than the selection of every run


def of_features(turn):
    """Every feature, or in a usual run one for each way to fail, another one each time."""
    return pytest.mark.parametrize("path", list(FEATURES) if EVERY_CASE else [list(FEATURES)[turn % len(FEATURES)]])


def failing():
    """Every feature with every error, or two features with one each."""
    if EVERY_CASE:
        return [(path, error) for path in FEATURES for error in ERRORS]
    return [(path, ERRORS[turn]) for turn, path in enumerate(list(FEATURES)[:2])]


seldom = pytest.mark.skipif(not EVERY_CASE, reason="one of `make features`, for time")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The journal of core detection with every enhancement off."""
    tree = WholeTree(tmp_path_factory.mktemp("alone"), **OFF)
    play(tree)
    tree.stop()
    return core_journal(tree)


@pytest.fixture
def beside(tmp_path):
    """Starts the tree with one feature on, and stops it; what hangs is let go before."""
    trees, release = [], threading.Event()

    def begin(path, **environ):
        trees.append(_with(tmp_path, path, environ))
        return trees[-1]

    begin.release = release
    yield begin
    release.set()
    for tree in trees:
        tree.stop()


def _with(data_dir, path, environ):
    return WholeTree(data_dir, **(OFF | {FEATURES[path][0]: "true"} | environ))


def sabotage(monkeypatch, path, act):
    """Let `act(actor)` come before each closed minute that the feature's actors handle."""
    actor = FEATURES[path][2]
    handle = actor.handle

    def disturbed(self, message):
        if isinstance(message, MinuteClosed):
            act(self)
        return handle(self, message)

    monkeypatch.setattr(actor, "handle", disturbed)


@pytest.mark.parametrize(("path", "error"), failing())
def test_a_feature_that_fails_on_every_minute_changes_no_alert(path, error, beside, alone, monkeypatch):
    failed = set()

    def fail(actor: Supervised):
        failed.add(actor.epoch)
        raise error("injected")

    sabotage(monkeypatch, path, fail)
    tree = play(beside(path))

    assert core_journal(tree) == alone
    assert len(failed) > 1


@of_features(0)
def test_a_feature_that_hangs_changes_no_alert(path, beside, alone, monkeypatch):
    hung = threading.Event()

    def hang(_):
        hung.set()
        beside.release.wait()

    sabotage(monkeypatch, path, hang)
    tree = play(beside(path))

    assert hung.is_set()
    assert core_journal(tree) == alone


@of_features(1)
def test_a_feature_that_eats_a_processor_holds_up_no_alert(path, beside, alone, monkeypatch):
    tree, seen = beside(path), set()

    def spin(_):
        while tree.alerts and len(tree.alerts) < 16 and not beside.release.is_set():
            seen.add(len(tree.alerts))

    sabotage(monkeypatch, path, spin)
    play(tree)

    assert len(seen) > 3  # it went on and on while those were raised
    assert core_journal(tree) == alone


@of_features(3)
def test_a_feature_that_takes_too_much_of_a_processor_is_parked_by_itself(path, beside, alone, monkeypatch):
    def compute(_):
        until_s = time.thread_time() + 0.02
        while time.thread_time() < until_s:
            pass

    sabotage(monkeypatch, path, compute)
    tree = beside(path, FORESHOCK_SUPERVISION__FEATURE_CPU_SHARE="0.0001")  # 6 ms a minute of the market
    play(tree)

    state, why = tree.state(path)
    assert (state, why.partition(":")[0]) == ("parked", "cpu")
    assert core_journal(tree) == alone


@seldom
@of_features(2)
def test_a_feature_that_floods_itself_changes_no_alert(path, beside, alone, monkeypatch):
    def flood(actor: Supervised):
        for _ in range(2_000):
            actor.send(actor.path, "of no use")

    sabotage(monkeypatch, path, flood)
    tree = play(beside(path))

    assert core_journal(tree) == alone


@seldom
@of_features(3)
def test_a_feature_that_hangs_in_its_import_changes_no_alert(path, beside, alone, monkeypatch):
    reached = threading.Event()

    def wait():
        reached.set()
        beside.release.wait()

    Doorstep(FEATURES[path][1], wait).put_up(monkeypatch)
    tree = play(beside(path))

    assert reached.is_set()
    assert core_journal(tree) == alone


@of_features(4)
def test_a_feature_that_cannot_be_imported_changes_no_alert(path, beside, alone, monkeypatch):
    def refuse():
        raise ModuleNotFoundError("No module named 'nowhere'")

    Doorstep(FEATURES[path][1], refuse).put_up(monkeypatch)
    tree = play(beside(path))

    assert core_journal(tree) == alone
    assert tree.state(path) == ("parked", "unavailable: No module named 'nowhere'")


@seldom
@of_features(5)
def test_a_feature_whose_settings_are_wrong_changes_no_alert(path, beside, alone):
    tree = play(beside(path, **FEATURES[path][3]))

    assert core_journal(tree) == alone
    state, why = tree.state(path)
    assert state == "parked"
    assert "misconfigured" in why


def test_volume_and_its_taker_sides_are_answered_with_the_switch_off(tmp_path):
    tree = WholeTree(tmp_path, **OFF)
    play(tree, minutes=2, burst=(1, 2))
    view = tree.system.address(STREAM).ask(AskMarket(asset="SOL"), timeout=10)
    tree.stop()

    assert "/features/volume" not in tree.system.ledger
    assert view.volume_day_usd > 6e6
    assert view.cvd_day_usd < -5e6
