"""Anything raised in any actor of a running daemon ends that actor only, and costs no alert."""

import pytest

from actors.messages.supervision import Drill
from tests.process.trees import running_tree

pytestmark = pytest.mark.slow

TAPE = "2025-06-23a"
ERRORS = ("RuntimeError", "SystemExit", "KeyboardInterrupt")


@pytest.mark.timeout(120)
def test_a_failure_in_any_actor_of_a_running_demo_raises_that_paths_epoch_only(tmp_path) -> None:
    with running_tree(tmp_path, speed=10) as (tree, _):
        tree.wait_until(lambda: len([path for path in tree.actors() if path.startswith("/core/feeds/")]) >= 3)
        tree.wait_until(lambda: len([path for path in tree.actors() if path.startswith("/core/symbols/")]) >= 40)
        victims = tree.actors()
        before = tree.epochs()

        for count, error in enumerate(ERRORS, start=1):
            for path in victims:
                tree.system.address(path).tell(Drill(error=error))
            tree.wait_for_epochs({path: before[path] + count for path in victims})

        after = tree.epochs()
    bystanders = set(before) - set(victims)
    assert {path: after[path] for path in victims} == {path: before[path] + len(ERRORS) for path in victims}
    assert {path: after[path] for path in bystanders} == {path: before[path] for path in bystanders}


@pytest.mark.timeout(180)
def test_failing_actors_without_sockets_cost_no_alert_of_a_tape(shared_data, tmp_path) -> None:
    tape = f"binance:{shared_data / 'binance' / 'force_orders' / f'{TAPE}_all_symbols.csv'}"

    calm = _journal_of(tape, tmp_path / "calm", disturbed=False)
    disturbed = _journal_of(tape, tmp_path / "disturbed", disturbed=True)

    assert calm.count(b"\n") > 10
    assert disturbed == calm


def _journal_of(tape: str, data_dir, *, disturbed: bool) -> bytes:
    """The journal of a tape; `disturbed`: every actor but connections fails once for each error on the way."""
    with running_tree(data_dir, speed=100, tapes=(tape,)) as (tree, simulated):
        told: dict[str, int] = {}
        while disturbed and not simulated.finished.wait(0.5):
            for path in tree.actors():
                if not path.startswith("/core/feeds/") and told.get(path, 0) < len(ERRORS):
                    tree.system.address(path).tell(Drill(error=ERRORS[told.get(path, 0)]))
                    told[path] = told.get(path, 0) + 1
        simulated.finished.wait(60)
        assert simulated.missed == 0
        tree.wait_until(lambda: all(tree.system.place(path).mailbox.idle for path in tree.system.ledger))
    return tree.journal()
