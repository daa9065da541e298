"""Draws pictures for whoever asks, in a process of its own: what goes wrong there costs the picture and nothing else."""

from typing import Any

from actors.drawing_process import DrawingFailed, DrawingProcess, ProcessLost, StillStarting
from actors.failures import Transient
from actors.messages.pictures import ChartDrawn, ChartNotDrawn, ChartWanted
from actors.supervised import Supervised
from config.settings import Charts as ChartSettings

LOOK_S = 5.0  # between two looks whether the process still stands ready (ours)
LOSSES = 3  # so many processes lost in a row, and our supervisor waits before there is another


class _Look:
    """Look whether the process is still there."""


class Charts(Supervised):
    """One picture at a time, on a thread of its own. Letters wait in the mailbox: what has waited too long is not drawn.

    The process stands ready before the first picture is wanted: to start one takes longer than to draw.
    """

    def init(self, *, settings: ChartSettings, command: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._process = DrawingProcess(
            memory_bytes=settings.memory_bytes, start_s=settings.start_s, hang_s=settings.hang_s, command=command
        )
        self._losses = 0
        self._stand_ready()
        self.timer.every("look", LOOK_S, _Look())

    def handle(self, message: Any) -> ChartDrawn | ChartNotDrawn | None:
        match message:
            case ChartWanted():
                return self._answer(message)
            case _Look():
                self._stand_ready()
                self._give_up_if_hopeless()
            case _:
                super().handle(message)
        return None

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        if hasattr(self, "_process"):
            self._process.kill()

    @property
    def _now_s(self) -> float:
        return self.system.clock.monotonic()

    def _answer(self, wanted: ChartWanted) -> ChartDrawn | ChartNotDrawn:
        answer = self._drawn(wanted)
        if wanted.path:
            self.send(wanted.path, answer)
        self._give_up_if_hopeless()
        return answer

    def _drawn(self, wanted: ChartWanted) -> ChartDrawn | ChartNotDrawn:
        begun_s, kind = self._now_s, wanted.request.kind
        within_s = wanted.until_s - begun_s
        if within_s <= 0:
            return ChartNotDrawn(reason="too many pictures are wanted now", key=wanted.key)
        try:
            png = self._process.draw(wanted.request, within_s)
        except StillStarting:
            self.note("process starting")
            return ChartNotDrawn(reason="what draws pictures is still starting", key=wanted.key)
        except DrawingFailed as error:
            self.log.warning("picture_failed", kind=kind, caused_by=str(error))
            return ChartNotDrawn(reason="the picture could not be drawn", key=wanted.key)
        except ProcessLost as error:
            self._note_loss(error, kind)
            self._stand_ready()
            return ChartNotDrawn(reason="what draws pictures was lost and starts again", key=wanted.key)
        self._losses = 0
        self.progress()
        self.note(f"process {self._process.pid}, last picture {1000 * (self._now_s - begun_s):.0f} ms")
        return ChartDrawn(png=png, key=wanted.key)

    # -- the process ----------------------------------------------------------------------------------------------------

    def _stand_ready(self) -> None:
        """Have a process that the next picture need not wait for, unless they do not last."""
        if self._losses >= LOSSES:
            return
        try:
            if self._process.start():
                self.note(f"process {self._process.pid}")
        except ProcessLost as error:
            self._note_loss(error)

    def _note_loss(self, error: ProcessLost, kind: str = "") -> None:
        self._losses += 1
        self.log.warning("drawing_process_lost", kind=kind, caused_by=str(error), losses=self._losses)
        self.note(f"process lost: {error}")

    def _give_up_if_hopeless(self) -> None:
        if self._losses >= LOSSES:
            raise Transient(f"the drawing process was lost {self._losses} times in a row")
