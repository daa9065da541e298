"""How people hear of it: dispatcher and notifiers."""

from collections.abc import Mapping
from typing import Any

from actors import paths
from actors.dispatcher import Dispatcher
from actors.mailbox import MailboxSpec
from actors.notifiers.terminal import TerminalNotifier
from config.settings import Settings
from intelligence.alerts import AlertKind
from supervisors.spec import CORE, IO, ChildSpec, SupervisorSpec
from supervisors.trees.pieces import arguments
from supervisors.trees.presentation import DATABASE, Presentation


def notify(settings: Settings, presentation: Presentation, *, telegram: bool) -> SupervisorSpec:
    outbox = settings.outbox
    storage = {"database": settings.data_dir / DATABASE, "heading": presentation.heading}
    terminal_tells = presentation.console or not telegram  # lines of a log are no message where people have Telegram
    terminal = ChildSpec(
        id="terminal",
        actor=TerminalNotifier,
        args=arguments(
            **storage,
            busy_s=outbox.busy_s,
            reread_s=outbox.reread_s,
            console=presentation.console,
            colors=presentation.colors,
            write=presentation.write,
            reports=terminal_tells,
        ),
        profile=IO,
        drain=True,
        final_s=0.4,
    )
    dispatcher = ChildSpec(
        id="dispatcher",
        actor=Dispatcher,
        args=arguments(
            **storage,
            outbox=outbox,
            chats=settings.telegram.authorized_users if telegram else (),
            notifiers=(paths.TERMINAL, paths.TELEGRAM) if telegram else (paths.TERMINAL,),
            brief_log=presentation.console,
            terminal_tells=terminal_tells,
            trials=tuple(map(AlertKind, settings.trials)),
            journal=presentation.journal,
            market_wide=settings.market_wide,
            watched=settings.assets.auto or len(settings.assets),
            on_by_default=settings.switches.auto_start,
        ),
        profile=CORE,
        mailbox=MailboxSpec(retain_max=1),
        drain=True,
        final_s=0.5,
    )
    sender = (_telegram_sender(settings, storage),) if telegram else ()
    return SupervisorSpec(children=(terminal, *sender, dispatcher), ordered=True)


def _telegram_sender(settings: Settings, storage: Mapping[str, Any]) -> ChildSpec:
    from actors.notifiers.telegram import TelegramNotifier  # noqa: PLC0415 - only with a token

    args = arguments(
        **storage,
        telegram=settings.telegram,
        outbox=settings.outbox,
        instance=settings.instance,
        pictures=paths.INCIDENT_PICTURES if settings.charts.incidents else "",
    )
    return ChildSpec(id="telegram", actor=TelegramNotifier, args=args, profile=IO, stop_s=15.0, drain=True, final_s=2.5)
