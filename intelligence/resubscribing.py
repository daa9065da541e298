"""Which silence is worth a new socket. Another socket costs whatever else the old one brings, so one thin contract that
is quiet for longer than usual is not enough: the law of feed_rate.py is of even rates, and thin ones come in waves.
"""

from collections.abc import Iterable

from intelligence.feed_health import FeedKind, HealthRules
from intelligence.feed_verdicts import is_mute
from intelligence.silent_feeds import Silent


def reason_to_subscribe_anew(silent: Iterable[Silent], rules: HealthRules) -> Silent | None:
    """Of what one connection is silent about the one to name, None while it is to be kept.

    All of a kind, or what stands for it; or trades that surely should come: of a brisk contract, of several assets at
    once, or of one so improbably that two independent ones would say no more. An asset that was never heard may not be
    traded there.
    """
    found = sorted(silent, key=lambda one: one.chance)
    if mute := [one for one in found if is_mute(one)]:
        return mute[0]
    sure = [
        one
        for one in found
        if one.source.kind is FeedKind.TRADES and one.source.instrument and one.chance < rules.reconnect_probability
    ]
    if not sure:
        return None
    several = len({one.source.asset for one in sure}) >= rules.reconnect_assets
    brisk = [one for one in sure if one.usual_per_s >= rules.reconnect_brisk_per_s]
    if brisk:
        return brisk[0]
    return sure[0] if several or sure[0].chance < rules.reconnect_probability**2 else None
