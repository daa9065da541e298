"""Reads the settings once at start, from every source there is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config.schema import build, leaves
from config.settings import Settings
from config.sources import CONFIG_NAME, Given, Sources

_DEFAULTS = Path(__file__).with_name("default.toml")
_NAMED = {  # contract.md 4
    "TELEGRAM_BOT_TOKEN": "telegram.token",
    "AUTHORIZED_USERS": "telegram.authorized_users",
    "OWNER_USERS": "telegram.owner_users",
    "ENABLE_DYNAMIC_THRESHOLDS": "switches.dynamic_thresholds",
    "ENABLE_AUTO_START": "switches.auto_start",
    "ENABLE_VOLUME_MONITORING": "switches.volume_monitoring",
    "ENABLE_PREDICTIVE_ZONES": "switches.predictive_zones",
}

# Sections of features: what is wrong in one of them costs that feature and nothing else (supervision.md 18).
FEATURE_SECTIONS = ("thresholds", "market_caps", "volume", "outcomes", "zones", "margin_tiers")


class ConfigError(Exception):
    """The settings cannot be used; `problems` names every reason, one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, and for each key where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    env_file: Path = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
) -> Loaded:
    """Read every source, later ones winning: default.toml, the operator's TOML, `.env`, environment, `overrides`.

    `config` is what --config names; without it FORESHOCK_CONFIG counts. `overrides` are a command's own wishes by
    dotted key, such as the demo's addresses. Raises ConfigError with all problems, unless a
    feature's section is all that is wrong.
    """
    sources = Sources(leaves(Settings), named=_NAMED, to_come=())
    sources.add_toml(_DEFAULTS, origin="default")
    defaults = dict(sources.given)
    from_file = sources.read_dotenv(env_file)
    sources.suspect_slips(from_file, env_file)
    chosen = str(config or environ.get(CONFIG_NAME) or from_file.get(CONFIG_NAME) or "")
    if chosen:
        sources.add_toml(Path(chosen), origin=chosen)
    sources.add_names(from_file, place=f"{env_file} ")
    sources.add_names(environ)
    for key, value in (overrides or {}).items():
        sources.add(key, Given(value, "set by this command"))
    _, problems = build(Settings, sources.given)
    problems = (*sources.problems, *problems)
    misconfigured = {name: found for name in FEATURE_SECTIONS if (found := _of_section(name, problems))}
    if len(problems) > sum(map(len, misconfigured.values())):
        raise ConfigError(problems)
    given = dict(sources.given)
    for name in misconfigured:
        given = {key: one for key, one in given.items() if not key.startswith(f"{name}.")}
        given |= {key: one for key, one in defaults.items() if key.startswith(f"{name}.")}
    settings, _ = build(Settings, given)
    assert settings is not None
    settings = replace(settings, misconfigured=MappingProxyType(misconfigured))
    return _with_owner(settings, {key: one.origin for key, one in given.items()})


def _of_section(name: str, problems: tuple[str, ...]) -> tuple[str, ...]:
    heads = (f"{name}.", f"{name}:", f"FORESHOCK_{name.upper()}__")
    return tuple(problem for problem in problems if problem.startswith(heads))


def _with_owner(settings: Settings, origins: dict[str, str]) -> Loaded:
    """Without OWNER_USERS the first authorised user is the owner; a group (negative id) owns nothing."""
    telegram = settings.telegram
    if not telegram.owner_users:
        first = next((user for user in telegram.authorized_users if user > 0), None)
        if first is not None:
            telegram = replace(telegram, owner_users=(first,))
            origins["telegram.owner_users"] = "the first of telegram.authorized_users"
    return Loaded(settings=replace(settings, telegram=telegram), origins=origins)
