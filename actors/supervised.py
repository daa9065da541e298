"""The base of every actor: pykka's thread, inbox and futures, and the promises of supervision that pykka does not make.

An engineer writes `init`, `handle` and `terminate`; they run on one thread at a time, the actor's own or a shared worker.
Whatever they raise, `SystemExit` included, ends this incarnation only, and its supervisor gets exactly one notice.
"""

import builtins
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import pykka
import structlog
from pykka.messages import _ActorStop

from actors.failures import Fenced, NeedsOperator, failed, say
from actors.inbox import Inbox, Stop
from actors.mailbox import Lane, Letter, Unavailable
from actors.messages.supervision import ChildExited, ChildReady, Drill, StopRequested
from actors.system import Address, Place, System, Vitals
from actors.timer import Timer
from actors.worker import AnyWorker

RECOVERY_TRUST_S = 60.0  # a crash this soon after a recovery counts against what was recovered
RECOVERY_TRIES = 2
HOOKS = frozenset({"init", "recover", "handle", "terminate", "timer_lane", "ready_after_init"})
TURN_LETTERS = 64  # letters that a worker lets one actor handle before the next one has its turn


class Birth(NamedTuple):
    """What a supervisor hands to a new incarnation. `notify` takes the ready and exit notices of this epoch."""

    system: System
    path: str
    epoch: int
    args: Mapping[str, Any]
    notify: Callable[[Any], None]
    worker: AnyWorker | None = None


class Supervised(pykka.ThreadingActor):
    """An actor in a supervision tree. Subclasses write the three hooks; everything else here is final."""

    timer_lane = Lane.URGENT
    ready_after_init = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that replaces more than the hooks: with a `_fail` of its own it would lose its notices."""
        super().__init_subclass__(**kwargs)
        taken = sorted(name for name in vars(cls).keys() - HOOKS if name[:2] != "__" and hasattr(Supervised, name))
        if taken:
            raise TypeError(f"{cls.__name__} must not define {', '.join(taken)}: the base of all actors does")

    def __init__(self, birth: Birth) -> None:
        self.system, self.path, self.epoch = birth.system, birth.path, birth.epoch
        self.place: Place = birth.system.place(birth.path)
        self.log = structlog.get_logger(type(self).__module__).bind(path=birth.path, epoch=birth.epoch)
        self._birth = birth
        self._failure: BaseException | None = None
        self._failed_in = ""
        self._stop_reason = "stopped"
        self._finished = False
        self._terminated = False
        self._recovered_s: float | None = None
        self._in_hand: Letter | None = None
        self._scheduled = threading.Lock()  # on a worker: held while a turn is queued or runs
        self._inbox = Inbox(self.place.mailbox, None if birth.worker is None else self._schedule)
        self.fenced = False
        self.departed = threading.Event()  # all is over, `terminate` too
        self.vitals = Vitals()
        super().__init__()
        self.timer = Timer(self)

    # -- what an engineer writes ----------------------------------------------------------------------------------

    def init(self, *args: Any, **kwargs: Any) -> None:
        """Open, load, subscribe. Runs on the actor's thread before any letter."""

    def recover(self, retained: tuple[Any, ...]) -> None:
        """Rebuild state from the retained messages of an earlier incarnation, oldest first."""

    def handle(self, message: Any) -> Any:
        """Handle one message; the return value answers an ask."""
        raise NotImplementedError(f"{type(self).__name__} does not know {type(message).__name__}")

    def terminate(self, reason: str) -> None:
        """Close and flush. Runs once at the end of every incarnation that is not abandoned."""

    # -- what an engineer uses ------------------------------------------------------------------------------------

    def address(self, path: str) -> Address:
        return self.system.address(path)

    def send(
        self,
        path: str,
        message: Any,
        *,
        lane: Lane = Lane.URGENT,
        merge: Hashable = None,
        redeliver: bool = False,
        retain: bool = False,
    ) -> bool:
        """Send without waiting; see `Address.tell`. Raises Fenced when this incarnation has been replaced."""
        if self.fenced:
            raise Fenced(self.path)
        return self.system.address(path).tell(
            message, lane=lane, sender=self.path, merge=merge, redeliver=redeliver, retain=retain
        )

    def finish(self) -> None:
        """End this incarnation normally after the current letter."""
        self._finished = True
        self._inbox.revoke()

    def on_trial(self) -> None:
        """What was just taken in is distrusted like what is retained: should it end two incarnations soon, it is dropped."""
        self._recovered_s = self.system.clock.monotonic()

    def progress(self) -> None:
        """Say that real work was done (a market event, a delivered message)."""
        self.vitals.progress_s = self.system.clock.monotonic()

    def transport_progress(self) -> None:
        """Say that the connection is proved alive."""
        self.vitals.transport_s = self.system.clock.monotonic()

    def judge_itself(self, health: str, why: str = "") -> None:
        """Say how one's own work goes, apart from being alive: healthy, degraded or unhealthy, and why."""
        self.vitals.own_verdict = (health, why)

    def note(self, text: str) -> None:
        """One short line that the status shows beside this actor."""
        self.vitals.note = text

    @property
    def retained(self) -> deque[Any]:
        """Handled messages that were sent with `retain`: the next incarnation is re-fed with them. Prune from the left."""
        return self.place.mailbox.retained

    @property
    def now_ms(self) -> int:
        """Market time, ms UTC."""
        return self.system.clock.now_ms()

    # -- stopping (called by the supervisor, from its thread) -----------------------------------------------------

    def fence(self) -> None:
        """Take the lease away: the next read of the mailbox yields stop, the next send raises, timers are void."""
        self.fenced = True
        self._inbox.fence()

    # -- pykka's hooks (final) ------------------------------------------------------------------------------------

    def _create_actor_inbox(self) -> Any:  # type: ignore[override]  # pykka calls it on the instance
        return self._inbox

    def _start_actor_loop(self) -> None:
        worker = self._birth.worker
        if worker is not None:
            self._scheduled.acquire()  # before anybody can wake it: `init` comes first
        if not self.place.mailbox.lease(self._inbox.wake, self.epoch):
            self._cancel_start()
            raise Fenced(f"{self.path}#{self.epoch} starts too late")
        self.place.vitals = self.vitals
        if worker is not None:
            self.system.enter(self.path, self, None)
            worker.run(self._begin_on_worker)
            return
        thread = threading.Thread(target=self._body, name=f"{self.path}#{self.epoch}", daemon=True)
        self.system.enter(self.path, self, thread)
        try:
            thread.start()
        except RuntimeError:
            self._cancel_start()
            raise

    def _cancel_start(self) -> None:
        """Undo pykka's part of a start that came to nothing."""
        self.place.mailbox.release(self._inbox.wake)
        self.system.leave(self.path, self)
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self.departed.set()

    def _body(self) -> None:
        try:
            self._actor_loop()
        finally:
            self._depart()

    def _schedule(self) -> None:
        """Queue a turn on the worker, unless one is queued or runs. Any thread."""
        worker = self._birth.worker
        if worker is not None and self._scheduled.acquire(blocking=False):
            worker.run(self._turn)

    def _begin_on_worker(self) -> None:
        self._actor_loop_setup()
        self._turn()

    def _turn(self) -> None:
        """Handle up to TURN_LETTERS letters on the worker, then queue again, go idle, or depart."""
        for _ in range(TURN_LETTERS):
            if self.actor_stopped.is_set():
                self._actor_loop_teardown()
                self._depart()
                return
            letter = self._inbox.take()
            if letter is None:
                break
            try:
                self._handle_receive(_ActorStop() if letter is Stop else letter)
            except Exception as error:
                self._handle_failure(type(error), error, error.__traceback__)
                self.on_failure(type(error), error, error.__traceback__)
        else:
            self._birth.worker.run(self._turn)  # type: ignore[union-attr]  # only a worker calls this
            return
        self._scheduled.release()
        if self._inbox.revoked or not self.place.mailbox.idle:  # it came while this turn was ending
            self._schedule()

    def on_start(self) -> None:
        try:
            self.init(**self._birth.args)
            self._recover()
        except BaseException as error:
            self._fail(error, "init")
            self._terminate("start_failed")
            raise _Ended from None
        self.vitals.phase = "running"
        if self.ready_after_init:
            self.ready()

    def ready(self) -> None:
        """Report ready to the supervisor; a supervisor calls it when its children are."""
        self._birth.notify(ChildReady(path=self.path, epoch=self.epoch))

    def on_receive(self, message: Any) -> None:
        letter: Letter = message
        if letter.tick is not None and not self.timer.admits(letter.tick):
            return
        vitals = self.vitals
        started_s = time.thread_time()
        vitals.message_type, vitals.busy_since = type(letter.message).__name__, self.system.clock.monotonic()
        self._in_hand = letter
        try:
            answer = self._dispatch(letter.message)
        except BaseException as error:
            self._fail(error, "handle")
            if letter.reply is not None:
                letter.refuse(error if isinstance(error, Exception) else Unavailable(f"{self.path}: {say(error)}"))
            raise _Ended from None
        finally:
            vitals.cpu_s += time.thread_time() - started_s
            vitals.handled += 1
            vitals.last_handled_s, vitals.busy_since = vitals.busy_since, None
        self._in_hand = None
        if letter.retain and not self.fenced:
            self.place.mailbox.retained.append(letter.message)
        if letter.reply is not None:
            letter.reply.set(answer)

    def _dispatch(self, message: Any) -> Any:
        match message:
            case StopRequested(reason=reason, drain=drain):
                self._stop_reason = reason
                if drain:
                    self.place.mailbox.close()
                    self._inbox.draining = True
                else:
                    self._inbox.revoke()
                return None
            case Drill(error=name, reason=reason):
                raise getattr(builtins, name)(reason)
            case _:
                return self.handle(message)

    def on_stop(self) -> None:
        self._terminate("finished" if self._finished else self._stop_reason)

    def on_failure(self, *_: Any) -> None:
        self._terminate("failed")

    # -- the end --------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Feed the retained messages to a successor, unless that has just killed two of them."""
        retained = self.place.mailbox.retained
        if not retained:
            return
        if self.place.failed_recoveries >= RECOVERY_TRIES:
            self.log.warning("retained_set_aside", n=len(retained))
            retained.clear()
            return
        self.on_trial()
        self.recover(tuple(retained))

    def _fail(self, error: BaseException, where: str) -> None:
        if self._failure is None:
            self._failure, self._failed_in = error, where
        self._inbox.revoke()

    def _terminate(self, reason: str) -> None:
        if self._terminated:
            return
        self._terminated = True
        self.vitals.phase = "stopping"
        try:
            self.terminate(reason)
        except BaseException as error:
            self._fail(error, "terminate")
            self.log.warning("terminate_failed", caused_by=say(error))

    def _depart(self) -> None:
        """The last thing an incarnation does: strike itself from every table, then tell the supervisor, once."""
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self._inbox.revoked = True
        self.timer.cancel_all()
        self.vitals.phase, self.vitals.busy_since = "ended", None
        self._settle_letter_in_hand()
        notice, self._failure = self._notice(), None
        normal = notice.kind in {"stopped", "finished"}
        if not self.fenced:
            self._judge_recovery(notice.ended_s, normal=normal)
        self.place.mailbox.release(self._inbox.wake, refusing=notice.kind if normal else None)
        self.system.leave(self.path, self)
        self.departed.set()
        self._birth.notify(notice)

    def _judge_recovery(self, now_s: float, *, normal: bool) -> None:
        soon = self._recovered_s is not None and now_s - self._recovered_s < RECOVERY_TRUST_S
        self.place.failed_recoveries = self.place.failed_recoveries + 1 if soon and not normal else 0

    def _settle_letter_in_hand(self) -> None:
        letter = self._in_hand
        if letter is None or letter.reply is not None or isinstance(letter.message, Drill):
            return
        if isinstance(self._failure, NeedsOperator):
            return  # the letter did its work: it told what only a person can change
        if letter.redeliver and letter.attempt == 1:
            letter.attempt = 2
            self.place.mailbox.put_back(letter)
        elif letter.lane is not Lane.CONTROL:
            poisoned = letter.attempt > 1
            self.system.bury(self.path, letter, "poison" if poisoned else "in_flight")

    def _notice(self) -> ChildExited:
        now_s, error = self.system.clock.monotonic(), self._failure
        if error is not None:
            return failed(self.path, self.epoch, error, self._failed_in, now_s)
        kind = "finished" if self._finished else "stopped"
        return ChildExited(path=self.path, epoch=self.epoch, kind=kind, ended_s=now_s)


class _Ended(Exception):  # noqa: N818 - what pykka is told instead of the real error, which may not be an Exception
    """The incarnation has failed; its notice says how."""
