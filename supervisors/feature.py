"""A feature's subtree: built, and its code imported, when it starts and not before (supervision.md 18)."""

from collections.abc import Callable
from typing import Any

from actors.failures import NeedsOperator
from supervisors.spec import SupervisorSpec
from supervisors.supervisor import Supervisor


class Feature(Supervisor):
    """`spec` imports what the feature needs and says what it is made of; a failure parks the feature and nothing else."""

    def init(self, spec: SupervisorSpec | Callable[[], SupervisorSpec], **_: Any) -> None:
        try:
            built = spec() if callable(spec) else spec
        except ImportError as error:
            raise NeedsOperator(f"unavailable: {error}") from error
        super().init(built)
