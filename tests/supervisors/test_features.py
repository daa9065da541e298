"""Optional features: switched off, misconfigured, not to be imported; the rest runs whatever they do."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors import paths
from config.loading import ConfigError, load_settings
from supervisors.feature import Feature
from supervisors.spec import BULKHEAD, SupervisorSpec, walk
from supervisors.tree import our_tree
from supervisors.trees.presentation import Presentation
from tests.builders import a_child
from tests.doubles import Tree

SWITCHES = (
    "ENABLE_DYNAMIC_THRESHOLDS",
    "ENABLE_AUTO_START",
    "ENABLE_VOLUME_MONITORING",
    "ENABLE_PREDICTIVE_ZONES",
)
NOT_IMPORTED = """
import sys
from config.loading import load_settings
from pathlib import Path
from supervisors.tree import our_tree
from supervisors.trees.presentation import Presentation
our_tree(load_settings(environ={}, env_file=Path("no.env")).settings, Presentation())
late = {
    "actors.threshold_calculator",
    "actors.market_caps",
    "intelligence.thresholds.engine",
    "actors.outcome_ledger",
    "actors.volume_watch",
    "intelligence.detectors.volume_spike",
    "actors.zone_watch",
    "actors.margin_reader",
    "intelligence.zones.model",
}
print(sorted(late & set(sys.modules)))
"""


def settings(**environ):
    return load_settings(environ=environ, env_file=Path("no.env")).settings


def paths_of(**environ):
    return {path for path, _ in walk(our_tree(settings(**environ), Presentation()))}


def a_feature(build):
    return a_child("feature", Feature, args={"spec": build}, profile=BULKHEAD, required=False)


def test_a_feature_that_is_off_is_not_there():
    assert "/features/thresholds" in paths_of()
    assert "/features/volume" in paths_of()
    assert "/features/thresholds" not in paths_of(ENABLE_DYNAMIC_THRESHOLDS="false")
    assert "/features/volume" not in paths_of(ENABLE_VOLUME_MONITORING="false")


def test_with_every_switch_off_there_is_no_subtree_of_features():
    off = dict.fromkeys((*SWITCHES, "FORESHOCK_OUTCOMES__ENABLED"), "false")

    assert not {path for path in paths_of(**off) if path.startswith("/features")}


def test_without_trades_there_is_nobody_to_watch_their_volume():
    without = {"FORESHOCK_FEEDS__TRADES": "false"}
    (symbols,) = (
        child for path, child in walk(our_tree(settings(**without), Presentation())) if path == "/core/symbols/*"
    )

    assert "/features/volume" not in paths_of(**without)
    assert paths.VOLUME not in symbols.args["followers"]


def test_without_sources_there_is_no_reader_of_market_caps():
    found = paths_of(FORESHOCK_MARKET_CAPS__SOURCES="")

    assert "/features/thresholds" in found
    assert "/features/market-caps" not in found


def test_zones_are_off_until_they_are_switched_on():
    (symbols,) = (
        child
        for path, child in walk(our_tree(settings(ENABLE_PREDICTIVE_ZONES="true"), Presentation()))
        if path == "/core/symbols/*"
    )

    assert not {path for path in paths_of() if path.startswith((paths.ZONES, paths.MARGIN_TIERS))}
    assert {paths.ZONES, paths.MARGIN_TIERS} <= paths_of(ENABLE_PREDICTIVE_ZONES="true")
    assert paths.ZONES in symbols.args["followers"]


def test_binance_is_asked_for_its_tiers_only_where_the_operator_says_so():
    def readers(**environ):
        told = settings(ENABLE_PREDICTIVE_ZONES="true", **environ)
        found = dict(walk(our_tree(told, Presentation())))[paths.MARGIN_TIERS]
        return {child.id for child in found.args["spec"]().children}

    assert readers() == {"bybit", "okx", "gate", "bitget", "hyperliquid"}
    assert readers(FORESHOCK_MARGIN_TIERS__BINANCE="true") == readers() | {"binance"}


def test_nothing_of_a_feature_is_imported_before_it_starts():
    told = subprocess.run([sys.executable, "-c", NOT_IMPORTED], capture_output=True, text=True, timeout=50, check=True)

    assert told.stdout.strip() == "[]"


def test_a_feature_builds_its_subtree_when_it_starts():
    spec = SupervisorSpec(children=(a_child("inner"),))
    with Tree(SupervisorSpec(children=(a_feature(lambda: spec),))) as tree:
        assert tree.until("/feature/inner", "running").kind == "actor"
        assert tree.look("/feature").kind == "supervisor"


def test_a_feature_that_cannot_be_imported_is_parked_and_says_why():
    def build():
        raise ModuleNotFoundError("No module named 'nowhere'")

    with Tree(SupervisorSpec(children=(a_child("core"), a_feature(build)))) as tree:
        assert "unavailable: No module named 'nowhere'" in tree.until("/feature", "parked").why
        assert tree.until("/core", "running")


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("thresholds", {"FORESHOCK_THRESHOLDS__REVIEW_S": "soon"}),
        ("thresholds", {"FORESHOCK_THRESHOLDS__SESSIONS__TIMEZONE": "Mars/Olympus"}),
        ("thresholds", {"FORESHOCK_THRESHOLDS__NONSENSE": "1"}),
        ("volume", {"FORESHOCK_VOLUME__MULTIPLE": "0"}),
        ("volume", {"FORESHOCK_VOLUME__NONSENSE": "1"}),
    ],
)
def test_a_wrong_section_costs_its_feature_alone(section, wrong):
    told = settings(**wrong)
    (problem,) = told.misconfigured[section]
    (feature,) = (child for path, child in walk(our_tree(told, Presentation())) if path == f"/features/{section}")
    (symbols,) = (child for path, child in walk(our_tree(told, Presentation())) if path == "/core/symbols/*")
    both = {paths.THRESHOLDS, paths.VOLUME}

    with Tree(SupervisorSpec(children=(feature,))) as tree:
        assert problem[:60] in tree.until(f"/{section}", "parked").why
    assert both & set(symbols.args["followers"]) == both - {f"/features/{section}"}


def test_a_wrong_section_beside_a_wrong_core_is_an_error_like_any_other():
    with pytest.raises(ConfigError) as error:
        settings(FORESHOCK_THRESHOLDS__REVIEW_S="soon", FORESHOCK_OI__POLL_S="soon")

    assert len(error.value.problems) == 2
