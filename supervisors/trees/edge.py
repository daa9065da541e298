"""What people ask through."""

from actors.charts import Charts
from config.settings import Settings
from supervisors.spec import IO, ChildSpec, SupervisorSpec
from supervisors.trees.pieces import arguments
from supervisors.trees.presentation import Presentation


def edge(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    from actors.notifiers.incident_pictures import IncidentPictures  # noqa: PLC0415 - only with a token
    from actors.telegram.commands import TelegramCommands  # noqa: PLC0415 - only with a token: it costs 17 MB

    commands = ChildSpec(
        id="commands",
        actor=TelegramCommands,
        args=arguments(
            telegram=settings.telegram,
            status_dir=str(settings.data_dir),
            assets=tuple(settings.assets),
            heading=presentation.heading,
        ),
        profile=IO,
        required=False,
        final_s=0.5,
    )
    charts = ChildSpec(
        id="charts",
        actor=Charts,
        args=arguments(settings=settings.charts),
        profile=IO,
        required=False,
        final_s=0.2,
    )
    pictures = ChildSpec(
        id="pictures",
        actor=IncidentPictures,
        args=arguments(telegram=settings.telegram, charts=settings.charts, heading=presentation.heading),
        profile=IO,
        required=False,
        stop_s=8.0,
        final_s=0.2,
    )
    return SupervisorSpec(children=(charts, *((pictures,) if settings.charts.incidents else ()), commands))
