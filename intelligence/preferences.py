"""What a chat may change of its preferences, one change at a time, so that two people who change at once lose nothing. Pure."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from intelligence.alerts import AlertKind, Severity
from intelligence.gates import Loudness, Mute, OwnThreshold, Preferences, QuietHours

MOST = 200  # ours: of watched assets, thresholds and mutes each; more is a slip or an attack

T = TypeVar("T")


class NotPossible(ValueError):  # noqa: N818 - an answer
    """The change makes no sense as things stand; the text is for people."""


class _Change(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    pass


class SetLoudness(_Change, frozen=True, kw_only=True):
    """Of a family or of a severity."""

    of: AlertKind | Severity
    loudness: Loudness


class SetKinds(_Change, frozen=True, kw_only=True):
    """These families only, of those that have a loudness; notices come all the same."""

    kinds: tuple[AlertKind, ...]


class Watch(_Change, frozen=True, kw_only=True):
    """Alerts of these assets only, beside those that are watched already; with none, of all again."""

    assets: tuple[str, ...] = ()


class Unwatch(_Change, frozen=True, kw_only=True):
    assets: tuple[str, ...]


class SetThreshold(_Change, frozen=True, kw_only=True):
    """`value` in the unit of the kind's alerts, None: ours alone again. `asset` None: of all assets."""

    kind: AlertKind
    value: float | None
    asset: str | None = None


class SetMute(_Change, frozen=True, kw_only=True):
    """Replaces the mute of the same asset and kind, so that a button pressed twice mutes once."""

    mute: Mute


class TakeMutesBack(_Change, frozen=True, kw_only=True):
    """Those of this asset and kind; where one is None, whatever it is."""

    asset: str | None = None
    kind: AlertKind | None = None


class SetQuietHours(_Change, frozen=True, kw_only=True):
    quiet: QuietHours | None


class SetBudget(_Change, frozen=True, kw_only=True):
    pushes_a_day: int | None


class SetDigest(_Change, frozen=True, kw_only=True):
    """`minute` of the day in the chat's zone, None: no digest."""

    minute: int | None


class SetZone(_Change, frozen=True, kw_only=True):
    """`zone`: a name of the tz database. Quiet hours keep theirs."""

    zone: str


Change = (
    SetLoudness
    | SetKinds
    | Watch
    | Unwatch
    | SetThreshold
    | SetMute
    | TakeMutesBack
    | SetQuietHours
    | SetBudget
    | SetDigest
    | SetZone
)


def changed(chosen: Preferences, change: Change, now_ms: int) -> Preferences:
    """The preferences after the change; mutes that are over are forgotten. Raises NotPossible."""
    mutes = tuple(mute for mute in chosen.mutes if mute.until_ms is None or mute.until_ms > now_ms)
    chosen = replace(chosen, mutes=mutes)
    match change:
        case SetQuietHours(quiet=quiet):
            return replace(chosen, quiet=quiet)
        case SetBudget(pushes_a_day=pushes):
            return replace(chosen, pushes_a_day=pushes)
        case SetDigest(minute=minute):
            return replace(chosen, digest_minute=minute, digest_off=minute is None)
        case SetZone(zone=zone):
            return replace(chosen, zone=zone)
        case _:
            return _about_alerts(chosen, change)


def _about_alerts(chosen: Preferences, change: Change) -> Preferences:
    match change:
        case SetLoudness():
            return _louder(chosen, change)
        case SetKinds(kinds=kinds):
            off = {kind: Loudness.OFF for kind in AlertKind if kind not in {*kinds, AlertKind.NOTICE}}
            heard = {kind: how for kind, how in chosen.kinds.items() if kind in kinds and how is not Loudness.OFF}
            return replace(chosen, kinds={**off, **heard})
        case Watch(assets=assets):
            watched = dict.fromkeys((*chosen.assets, *assets)) if assets else ()
            return replace(chosen, assets=_bounded(watched, "assets"))
        case Unwatch(assets=assets):
            return replace(chosen, assets=_unwatched(chosen.assets, assets))
        case SetThreshold(kind=kind, value=value, asset=asset):
            others = [one for one in chosen.own_thresholds if (one.kind, one.asset) != (kind, asset)]
            own = [] if value is None else [OwnThreshold(kind=kind, value=value, asset=asset)]
            return replace(chosen, own_thresholds=_bounded((*others, *own), "thresholds"))
        case SetMute(mute=mute):
            mutes = [one for one in chosen.mutes if (one.asset, one.kind) != (mute.asset, mute.kind)]
            return replace(chosen, mutes=_bounded((*mutes, mute), "mutes"))
        case TakeMutesBack():
            return replace(chosen, mutes=_unmuted(chosen.mutes, change))
    raise NotPossible("nothing is known of such a change")


def _louder(chosen: Preferences, change: SetLoudness) -> Preferences:
    if isinstance(change.of, AlertKind):
        return replace(chosen, kinds={**chosen.kinds, change.of: change.loudness})
    return replace(chosen, severities={**chosen.severities, change.of: change.loudness})


def _unmuted(mutes: tuple[Mute, ...], gone: TakeMutesBack) -> tuple[Mute, ...]:
    left = tuple(m for m in mutes if gone.asset not in {None, m.asset} or gone.kind not in {None, m.kind})
    if len(left) == len(mutes):
        raise NotPossible("nothing of that kind is muted")
    return left


def _unwatched(watched: tuple[str, ...], gone: tuple[str, ...]) -> tuple[str, ...]:
    left = tuple(asset for asset in watched if asset not in gone)
    if len(left) == len(watched):
        raise NotPossible(
            "all assets are watched; /mute keeps one of them quiet" if not watched else "it is not watched"
        )
    if not left:  # none would mean all
        raise NotPossible("it is the last one that is watched; /watch all, or /alerts stop")
    return left


def _bounded(several: Iterable[T], what: str) -> tuple[T, ...]:
    found = tuple(several)
    if len(found) > MOST:
        raise NotPossible(f"that would be more than {MOST} {what}")
    return found
