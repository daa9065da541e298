"""The past of an asset, asked for by REST."""

from dataclasses import dataclass

from intelligence.history import BarSpan, History, Missing, OpenInterestSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHistory:
    """Ask a symbol stream for all it knows of its asset's past, answered with `History`; only at a path that exists."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySeen:
    """What one venue answered for a span of one asset's past, from its backfill to the symbol stream."""

    asset: str
    span: BarSpan | OpenInterestSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingHistoryWanted:
    """Ask a symbol stream for `HistoryMissing`, told to `path`."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMissing:
    """What a symbol stream's history lacks now."""

    asset: str
    missing: Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWanted:
    """Ask a symbol stream for `HistoryTold`, told to `path`: for those who follow an asset outside of its stream."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTold:
    """All that a symbol stream knows of its asset's past, as one immutable value."""

    asset: str
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsOffered:
    """The assets whose bars a venue's backfill can bring, none while it cannot ask; to the backfills of the others."""

    venue: str
    assets: frozenset[str]
