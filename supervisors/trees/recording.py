"""The recorder, where it is switched on."""

from actors.mailbox import MailboxSpec
from actors.recording.recorder import Recorder
from config.settings import Settings
from supervisors.spec import IO, ChildSpec, SupervisorSpec
from supervisors.trees.pieces import arguments, enabled_venues
from supervisors.trees.presentation import RECORDINGS, Presentation

RECORDER_READS = 1_000  # that may wait to be written; of some 10 to 60 KB each


def recording(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    recorder = ChildSpec(
        id="recorder",
        actor=Recorder,
        args=arguments(
            folder=settings.data_dir / RECORDINGS,
            rules=settings.recording,
            market=presentation.market,
            venues=tuple(enabled_venues(settings)),
        ),
        profile=IO,
        required=False,
        drain=True,
        final_s=0.2,
        mailbox=MailboxSpec(data_max=RECORDER_READS, retain_max=1_000),
    )
    return SupervisorSpec(children=(recorder,))
