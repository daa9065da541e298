"""What people ask through."""

from actors.charts import Charts
from actors.herald import Herald
from actors.http.status_server import StatusServer
from actors.mailbox import MailboxSpec
from actors.near_miss_book import NEAR_MISSES
from actors.outcome_book import OUTCOMES
from config.settings import Settings
from config.summary import summary, watched
from supervisors.spec import IO, ChildSpec, SupervisorSpec
from supervisors.trees.pieces import arguments, enabled_venues
from supervisors.trees.presentation import DATABASE, Presentation


def edge(settings: Settings, presentation: Presentation, *, telegram: bool) -> SupervisorSpec:
    """What the bot needs is imported here: without a token it costs nothing (python-telegram-bot alone is 17 MB)."""
    return SupervisorSpec(children=(_http(settings, presentation), *(_bot(settings, presentation) if telegram else ())))


def _bot(settings: Settings, presentation: Presentation) -> tuple[ChildSpec, ...]:
    pictures = (_pictures(settings, presentation),) if settings.charts.incidents else ()
    return (_charts(settings), *pictures, _herald(settings), _commands(settings, presentation))


def _http(settings: Settings, presentation: Presentation) -> ChildSpec:
    return ChildSpec(
        id="http",
        actor=StatusServer,
        args=arguments(
            host=settings.http.host,
            port=settings.http.port,
            folder=settings.data_dir,
            database=settings.data_dir / DATABASE,
            busy_s=settings.outbox.busy_s,
            heading=presentation.heading,
        ),
        profile=IO,
        required=False,
        final_s=0.5,
    )


def _commands(settings: Settings, presentation: Presentation) -> ChildSpec:
    from actors.telegram.commands import Files, TelegramCommands  # noqa: PLC0415
    from actors.telegram.daemon_commands import About  # noqa: PLC0415

    folder = settings.data_dir
    return ChildSpec(
        id="commands",
        actor=TelegramCommands,
        args=arguments(
            telegram=settings.telegram,
            files=Files(folder, folder / DATABASE, folder / NEAR_MISSES, folder / OUTCOMES),
            charts=settings.charts,
            assets=tuple(settings.assets),
            about=About(tuple(enabled_venues(settings)), summary(settings)),
            heading=presentation.heading,
        ),
        profile=IO,
        required=False,
        final_s=0.5,
    )


def _herald(settings: Settings) -> ChildSpec:
    return ChildSpec(
        id="herald",
        actor=Herald,
        args=arguments(
            database=settings.data_dir / DATABASE,
            busy_s=settings.outbox.busy_s,
            chats=settings.telegram.authorized_users,
            auto_start=settings.switches.auto_start,
            active=watched(settings),
            back_online_gap_s=settings.telegram.back_online_gap_s,
            digest_at=settings.telegram.digest_at.minute,
        ),
        profile=IO,
        required=False,
        final_s=0.2,
        mailbox=MailboxSpec(retain_max=1),
    )


def _charts(settings: Settings) -> ChildSpec:
    return ChildSpec(
        id="charts",
        actor=Charts,
        args=arguments(settings=settings.charts),
        profile=IO,
        required=False,
        stop_s=settings.charts.hang_s + 2.0,
        final_s=0.2,
    )


def _pictures(settings: Settings, presentation: Presentation) -> ChildSpec:
    from actors.notifiers.incident_pictures import IncidentPictures  # noqa: PLC0415

    return ChildSpec(
        id="pictures",
        actor=IncidentPictures,
        args=arguments(telegram=settings.telegram, charts=settings.charts, heading=presentation.heading),
        profile=IO,
        required=False,
        stop_s=8.0,
        final_s=0.2,
    )
