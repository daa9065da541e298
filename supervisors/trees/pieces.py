"""What the parts of the tree are put together from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from actors.backoff import Backoff
from actors.exchanges.registry import EXCHANGES
from actors.mailbox import MailboxSpec
from actors.rest import RestLimits
from config.settings import Settings, Venue
from supervisors.spec import BULKHEAD, SUBTREE, ChildSpec, SupervisorSpec
from supervisors.supervisor import Supervisor


def subtree(child_id: str, spec: SupervisorSpec) -> ChildSpec:
    return ChildSpec(
        id=child_id, actor=Supervisor, args=arguments(spec=spec), profile=SUBTREE, mailbox=MailboxSpec(retain_max=64)
    )


def bulkhead(child_id: str, spec: SupervisorSpec, final_s: float = 0.5) -> ChildSpec:
    return ChildSpec(
        id=child_id, actor=Supervisor, args=arguments(spec=spec), profile=BULKHEAD, required=False, final_s=final_s
    )


def arguments(**values: Any) -> Mapping[str, Any]:
    return MappingProxyType(values)


def enabled_venues(settings: Settings) -> dict[str, Venue]:
    return {name: venue for name in EXCHANGES if (venue := getattr(settings.venues, name)).enabled}


def backoff_of(settings: Settings) -> Backoff:
    feeds = settings.feeds
    return Backoff(base_s=feeds.reconnect_base_s, factor=feeds.reconnect_factor, cap_s=feeds.reconnect_cap_s)


def rest_limits(settings: Settings) -> RestLimits:
    rest = settings.rest
    return RestLimits(
        connect_s=rest.connect_timeout_s,
        read_s=rest.read_timeout_s,
        total_s=rest.total_timeout_s,
        max_bytes=rest.max_bytes,
    )
