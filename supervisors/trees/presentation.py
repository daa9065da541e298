"""How a run shows itself, and the names of what it keeps in its data directory."""

from collections.abc import Callable
from dataclasses import dataclass

from intelligence.alerts import Alert

DATABASE = "foreshock.db"
STATE = "state.db"  # checkpoints: apart from alerts, which must not wait behind them
RECORDINGS = "recordings"  # the folder below the data directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How this run shows itself. `simulation`, `replay`: every text says so. `telegram`: use it if a token is set. `console`: people
    read the terminal; `write` then takes a block of text without waiting, `colors` whether it may be coloured.
    `journal` gets every alert when it is raised, on the dispatcher's thread.
    """

    simulation: bool = False
    replay: bool = False
    telegram: bool = True
    console: bool = False
    colors: bool = False
    write: Callable[[str], bool] | None = None
    journal: Callable[[Alert], None] | None = None

    @property
    def market(self) -> str:
        """Whose data this run makes: alerts of one kind never meet those of another."""
        return "simulated" if self.simulation else "replayed" if self.replay else "live"

    @property
    def heading(self) -> str:
        return {"simulated": "SIMULATION", "replayed": "REPLAY"}.get(self.market, "")
