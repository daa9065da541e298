"""Twenty thousand random lives of a supervisor: the invariants of supervision.md 6 hold in every one."""

from random import Random

import pytest

from supervisors import plan as plans
from supervisors import steps
from supervisors.slots import AT_REST, LIVE, Phase, SlotState
from supervisors.spec import Exhausted, Restart, SupervisorSpec
from tests.builders import a_child, a_profile, an_exit

HISTORIES = 20_000
SHARDS = 4
EVENTS = 10
COMMANDS = ("restart", "pause", "resume")


class World:
    """The children as they really are, beside what the plan believes, and every promise that was broken."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.now_s = 1000.0
        self.alive: dict[str, int] = {}  # who holds the lease of each path
        self.zombies: list[tuple[str, int]] = []
        self.epochs: dict[str, int] = {}
        self.exits: dict[str, tuple[float, float]] = {}  # when, and the delay that was announced
        self.restarts: dict[str, list[float]] = {}
        self.stopping: list[str] = []  # asked to stop for good, and still there
        self.asked: set[tuple[str, int]] = set()
        self.begun_to_stop = False
        self.ended: list[str | None] = []
        self.plan = plans.begin(self._spec(), self.now_s, {})

    def _spec(self) -> SupervisorSpec:
        random = self.random
        self.dynamic, ordered = random.random() < 0.3, random.random() < 0.5
        profile = a_profile(
            max_restarts=random.randint(1, 3),
            stable_s=random.choice([2, 20]),
            on_exhausted=random.choice(list(Exhausted)),
            park_retry_s=random.choice([None, 15]),
            jitter=0.5,
        )
        restart = random.choice(list(Restart))
        self.children = tuple(
            a_child(name, profile=profile, restart=restart, start_timeout_s=4, stop_s=3, final_s=1) for name in "abcde"
        )
        if self.dynamic:
            return SupervisorSpec(
                template=self.children[0],
                on_demand=random.random() < 0.5,
                starts_per_s=random.choice([0.5, 50]),
                max_children=4,
            )
        return SupervisorSpec(children=self.children[: random.randint(1, 5)], ordered=ordered)

    def take(self, event: steps.Event) -> None:
        before = self.plan
        self.plan, effects = plans.step(before, event, self.now_s, self.random)
        for effect in effects:
            self._carry_out(effect)
        self.check()

    def _carry_out(self, effect: steps.Effect) -> None:
        match effect:
            case steps.Start(child_id=name, epoch=epoch):
                self._on_start(name, epoch)
            case steps.Stop(child_id=name, final=final):
                assert name in self.alive, "a stop for nobody"
                assert (name, self.alive[name]) not in self.asked, "asked to stop twice"
                self.asked.add((name, self.alive[name]))
                if self.begun_to_stop:
                    self._on_last_stop(name)
                assert final or not self.begun_to_stop or self.plan.exit_error
            case steps.Abandon(child_id=name):
                self._leave(name, zombie=True)
            case steps.Report(event="restart_scheduled", child_id=name, fields=fields):
                self.exits[name] = (self.now_s, dict(fields)["delay_s"])
            case steps.Report(event="child_parked", child_id=name):
                self.restarts.pop(name, None)
                self.exits.pop(name, None)
            case steps.Report(event="supervisor_escalated", child_id=name):
                slot = next(slot for slot in self.plan.slots if slot.spec.id == name)
                assert slot.spec.profile.on_exhausted is Exhausted.ESCALATE, "I8"
                self.begun_to_stop = True
            case steps.GiveBack(child_id=name):
                assert name not in self.alive, "a place was given back under somebody"
            case steps.Exit(error=error):
                assert not self.alive, "it left children behind"
                self.ended.append(error)

    def _on_start(self, name: str, epoch: int) -> None:
        assert name not in self.alive, "I1: a second incarnation"
        assert epoch > self.epochs.get(name, 0), "an epoch came again"
        assert not self.begun_to_stop, "I3: a start while stopping"
        if name in self.exits:
            exit_s, delay_s = self.exits.pop(name)
            assert self.now_s >= exit_s + delay_s - 0.001, "I6: too soon"
            times = [at for at in self.restarts.get(name, []) if exit_s - at < 100]
            self.restarts[name] = [*times, exit_s]
            assert len(self.restarts[name]) <= 3, "I5: too often"
        if self.plan.spec.ordered:
            for slot in self.plan.slots:
                if slot.spec.id == name:
                    break
                assert slot.tried or slot.state in AT_REST, "I2: not its turn"
        self.alive[name] = self.epochs[name] = epoch

    def _on_last_stop(self, name: str) -> None:
        if self.plan.spec.ordered:
            order = [slot.spec.id for slot in self.plan.slots]
            assert not self.stopping, "I7: one at a time"
            assert all(order.index(other) <= order.index(name) for other in self.alive), "I7: last to first"
        self.stopping.append(name)

    def _leave(self, name: str, *, zombie: bool = False) -> None:
        epoch = self.alive.pop(name)
        if name in self.stopping:
            self.stopping.remove(name)
        if zombie:
            self.zombies.append((name, epoch))

    def check(self) -> None:
        assert plans.violations(self.plan) == ()
        assert set(self.alive) == {slot.spec.id for slot in self.plan.slots if slot.state in LIVE}
        if self.plan.phase is not Phase.RUNNING:
            return
        due_s = plans.next_due_s(self.plan)
        for index, slot in enumerate(self.plan.slots):
            if slot.state is SlotState.DOWN:
                waits_for_turn = self.plan.spec.ordered and not all(
                    earlier.tried or earlier.state in AT_REST for earlier in self.plan.slots[:index]
                )
                assert waits_for_turn or due_s < float("inf"), "I4: an orphan waits"

    # -- what happens to a supervisor ---------------------------------------------------------------------------------

    def happen(self) -> None:
        random = self.random
        match random.randrange(10):
            case 0 | 1:
                self.pass_time(random.choice([0.1, 1, 5, 30]))
            case 2 | 3 if self.alive:
                name = random.choice(sorted(self.alive))
                self.take(steps.Ready(name, self.alive[name]))
            case 4 | 5 | 6 if self.alive:
                self.end(random.choice(sorted(self.alive)))
            case 7 if self.zombies:
                self.late_notice(*self.zombies.pop())
            case 8 if self.dynamic:
                self.want()
            case _:
                self.operate()

    def pass_time(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while (due_s := plans.next_due_s(self.plan)) <= end_s and self.plan.phase is not Phase.STOPPED:
            self.now_s = max(self.now_s + 0.001, due_s)
            self.take(steps.Tick())
        self.now_s = max(self.now_s, end_s)
        self.take(steps.Tick())

    def end(self, name: str) -> None:
        kind = self.random.choice(["failed", "failed", "failed", "start_failed", "finished", "stopped"])
        park = "no token" if kind == "failed" and self.random.random() < 0.05 else ""
        epoch = self.alive[name]
        self._leave(name)
        self.take(steps.Exited(name, an_exit(f"/{name}", epoch, kind, park=park, ended_s=self.now_s)))

    def late_notice(self, name: str, epoch: int) -> None:
        before = self.plan.slots
        self.plan, effects = plans.step(
            self.plan, steps.Exited(name, an_exit(f"/{name}", epoch)), self.now_s, self.random
        )
        if self.plan.phase is Phase.RUNNING and not any(isinstance(effect, steps.Start) for effect in effects):
            assert self.plan.slots == before, "I9: a late notice changed something"
        for effect in effects:
            self._carry_out(effect)

    def want(self) -> None:
        chosen = {child.id: child for child in self.random.sample(self.children, self.random.randint(0, 4))}
        gone = frozenset(slot.spec.id for slot in self.plan.slots) - chosen.keys()
        for name in (*chosen, *gone):
            self.exits.pop(name, None)
        add = tuple((child, self.epochs.get(child.id, 0)) for child in chosen.values())
        self.take(steps.Wanted(add=add, remove=gone))

    def operate(self) -> None:
        name = self.random.choice("abcde")
        if self.plan.phase is Phase.RUNNING:
            self.exits.pop(name, None)
            self.restarts.pop(name, None)
        self.take(steps.Operate(name, self.random.choice(COMMANDS)))

    def calm_down(self) -> None:
        """With nothing going wrong any more, everybody gets his turn."""
        for _ in range(12):
            for name, epoch in sorted(self.alive.items()):
                self.take(steps.Ready(name, epoch))
            self.pass_time(5)
        waiting = [slot.spec.id for slot in self.plan.slots if slot.state in {SlotState.DOWN, SlotState.BACKOFF}]
        assert self.ended or not waiting, f"I4: {waiting} wait for ever"

    def shut_down(self) -> None:
        """Ask it to end; some children do, others have to be left."""
        self.begun_to_stop = True
        deadline_s = self.now_s + self.random.choice([2, 8])
        self.take(steps.Shutdown(deadline_s))
        while not self.ended:
            for name in sorted(self.alive):
                if name in self.alive and self.random.random() < 0.5:
                    self.end(name)
            if not self.ended:
                self.pass_time(0.5)
            assert self.ended or self.now_s <= deadline_s + 0.5, "it does not end in time"
        self.pass_time(100)
        assert len(self.ended) == 1


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_history_keeps_the_invariants(shard):
    for seed in range(shard, HISTORIES, SHARDS):
        world = World(seed)
        try:
            world.take(steps.Tick())
            if world.dynamic:
                world.want()
            for _ in range(EVENTS):
                if not world.ended:
                    world.happen()
            if seed % 8 == 0 and not world.ended:
                world.calm_down()
            if not world.ended:
                world.shut_down()
        except Exception as error:
            error.add_note(f"history {seed}: {world.plan}")
            raise
