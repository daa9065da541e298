"""Records for tests: valid by default, override what matters. Times in ms after T0, a fixed second."""

from intelligence.alerts import Alert, AlertKind, Severity
from intelligence.detectors.asset import AssetDetection, DetectionRules
from intelligence.market import Coverage, Liquidation, MarkPrice, OpenInterest, PositionSide, PriceKind
from intelligence.minute import Minute

T0 = 1_700_000_040_000  # 2023-11-14 22:14:00 UTC, the start of a minute
VENUES = ("binance", "bybit", "okx")


def a_liquidation(at_ms=0, usd=30_000.0, **overrides):
    """A long of SOL on Bybit's complete feed, received 200 ms later; every one has its own price."""
    fields = {
        "venue": "bybit",
        "instrument": "SOLUSDT",
        "asset": "SOL",
        "exchange_ms": T0 + at_ms,
        "received_ms": T0 + at_ms + 200,
        "position_side": PositionSide.LONG,
        "quantity": usd / 140.0,
        "price": 140.0 + at_ms / 1e6,
        "price_kind": PriceKind.BANKRUPTCY,
        "notional_usd": usd,
        "coverage": Coverage.COMPLETE,
    }
    return Liquidation(**(fields | overrides))


def a_mark(at_ms=0, price=140.0, **overrides):
    fields = {
        "venue": "bybit",
        "instrument": "SOLUSDT",
        "asset": "SOL",
        "exchange_ms": T0 + at_ms,
        "received_ms": T0 + at_ms + 100,
        "price": price,
    }
    return MarkPrice(**(fields | overrides))


def a_burst(start_ms=0, orders=6, usd=30_000.0, every_ms=1_000, **overrides):
    return [a_liquidation(start_ms + index * every_ms, usd, **overrides) for index in range(orders)]


def an_alert(**overrides):
    fields = {
        "alert_id": "abcdefghijkl",
        "kind": AlertKind.LIQUIDATION,
        "asset": "BTC",
        "severity": Severity.P2,
        "exchange_ms": T0,
        "detected_ms": T0 + 300,
        "value": 1_250_000.0,
        "threshold": 100_000.0,
        "threshold_source": "static",
        "coverage": Coverage.CAPPED,
        "text": "",
        "position_side": PositionSide.LONG,
        "venues_able": ("binance", "bybit"),
        "venues_configured": VENUES,
        "venue": "binance",
        "instrument": "BTCUSDT",
        "price": 59_697.4,
        "price_kind": PriceKind.FILL,
    }
    return Alert(**(fields | overrides))


def a_detection(asset="SOL", rules=None, **overrides):
    return AssetDetection(asset, rules or DetectionRules(), **overrides)


def feed(detection, records, *, able=VENUES, after_reconnect=False):
    """Give a detection marks, liquidations, and ticks (bare milliseconds after T0); return all alerts in order."""
    alerts = []
    for record in records:
        if isinstance(record, MarkPrice):
            alerts += detection.mark(record)
        elif isinstance(record, Liquidation):
            alerts += detection.liquidations(
                (record,),
                able=able,
                configured=VENUES,
                now_ms=record.received_ms,
                after_reconnect=after_reconnect,
            )
        else:
            alerts += detection.tick(T0 + record)
    return alerts


def of_kind(alerts, kind, stage=None):
    return [alert for alert in alerts if alert.kind is kind and stage in {None, alert.stage}]


def an_open_interest(at_ms=0, coins=1_000.0, **overrides):
    return OpenInterest(
        **{
            "venue": "bybit",
            "instrument": "SOL-P",
            "asset": "SOL",
            "exchange_ms": T0 + at_ms,
            "received_ms": T0 + at_ms,
            "quantity": coins,
            "notional_usd": None,
        }
        | overrides
    )


def a_minute(index=0, price=100.0, volume_usd=1e6, **overrides):
    """Minute number `index` after T0 of SOL: a flat price, half bought and half sold."""
    fields = {
        "asset": "SOL",
        "from_ms": T0 + index * 60_000,
        "open": price,
        "high": price * 1.0005,
        "low": price * 0.9995,
        "close": price,
        "reference_price": price,
        "buy_usd": volume_usd / 2,
        "sell_usd": volume_usd / 2,
        "trades": 100,
        "largest_usd": volume_usd / 50,
        "complete": True,
    }
    return Minute(**(fields | overrides))
