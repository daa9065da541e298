"""Deribit perpetuals: rows of JSON-RPC results (exchanges.md section 8). Numbers are numbers; inverse amounts are USD."""

from collections.abc import Iterable, Sequence
from typing import Any

from simulator.assets import ASSETS
from simulator.candles import Candle
from simulator.flow import Print
from simulator.listings import DERIBIT_CONTRACT_USD, Listing
from simulator.venue import Quote

_ASSETS = {asset.name: asset for asset in ASSETS}
_DECOYS: tuple[dict[str, Any], ...] = (
    # contracts a reader has to leave out: a dated one, one that is not active
    {"instrument_name": "BTC-25DEC26", "settlement_period": "month", "expiration_timestamp": 1_798_185_600_000},
    {"instrument_name": "OLDCOIN_USDC-PERPETUAL", "base_currency": "OLDCOIN", "is_active": False},
)


def instrument_row(name: str, base: str, *, contract_size: float, tick: float, **other: Any) -> dict[str, Any]:
    linear = "_" in name
    settled = "USDC" if linear else base
    row: dict[str, Any] = {
        "instrument_name": name,
        "kind": "future",
        "instrument_type": "linear" if linear else "reversed",
        "base_currency": base,
        "counter_currency": "USDC" if linear else "USD",
        "quote_currency": "USDC" if linear else "USD",
        "settlement_currency": settled,
        "future_type": "linear" if linear else "reversed",
        "price_index": f"{base.lower()}_{'usdc' if linear else 'usd'}",
        "settlement_period": "perpetual",
        "contract_size": contract_size,
        "min_trade_amount": contract_size,
        "tick_size": tick,
        "tick_size_steps": [],
        "max_leverage": 50,
        "is_active": True,
        "maker_commission": 0.0,
        "taker_commission": 0.0005,
        "block_trade_commission": 0.00025,
        "creation_timestamp": 1_534_167_754_000,
        "expiration_timestamp": 32_503_708_800_000,
        "instrument_id": sum(name.encode()),
        "rfq": False,
    }
    return row | other


def contract_size(listing: Listing) -> float:
    return float(DERIBIT_CONTRACT_USD[listing.asset]) if listing.inverse else float(listing.step)


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, Any]]:
    rows = [
        instrument_row(
            listing.symbol,
            listing.asset,
            contract_size=contract_size(listing),
            tick=float(listing.tick),
            max_leverage=min(50, _ASSETS[listing.asset].max_leverage),
        )
        for listing in listings
    ]
    return rows + [
        instrument_row(decoy["instrument_name"], "BTC", contract_size=10.0, tick=0.5) | decoy for decoy in _DECOYS
    ]


def tape_rows(symbols: Iterable[str]) -> list[dict[str, Any]]:
    return [
        instrument_row(symbol, symbol.partition("-")[0].partition("_")[0], contract_size=1.0, tick=0.5)
        for symbol in symbols
    ]


def amount(listing: Listing, coins: float, price: float) -> float:
    """USD in whole contracts for inverse ones, else coins."""
    size = contract_size(listing)
    if listing.inverse:
        return max(1, round(coins * price / size)) * size
    return float(listing.size(coins))


def ticker_row(quote: Quote, now_ms: int) -> dict[str, Any]:
    listing = quote.listing
    coins = quote.turnover_usd / quote.last
    return {
        "timestamp": now_ms,
        "state": "open",
        "stats": {
            "high": float(listing.price(max(quote.last, quote.day_ago))),
            "low": float(listing.price(min(quote.last, quote.day_ago))),
            "price_change": round((quote.last / quote.day_ago - 1) * 100, 4),
            "volume": round(coins, 8),
            "volume_usd": round(quote.turnover_usd, 2),
            "volume_notional": round(quote.turnover_usd, 2),
        },
        "index_price": float(listing.price(quote.index)),
        "instrument_name": listing.symbol,
        "last_price": float(listing.price(quote.last)),
        "settlement_price": float(listing.price(quote.day_ago)),
        "min_price": float(listing.price(quote.mark * 0.985)),
        "max_price": float(listing.price(quote.mark * 1.015)),
        "open_interest": amount(listing, quote.open_coins, quote.mark),
        "mark_price": float(listing.price(quote.mark)),
        "interest_value": 0.0,
        "best_ask_price": float(listing.price(quote.last)),
        "best_bid_price": float(listing.price(quote.last)),
        "estimated_delivery_price": float(listing.price(quote.index)),
        "best_ask_amount": 10.0,
        "best_bid_amount": 10.0,
        "current_funding": 0.0,
        "funding_8h": round(quote.funding_rate, 8),
    }


def summary_row(quote: Quote, now_ms: int) -> dict[str, Any]:
    row = ticker_row(quote, now_ms)
    stats = row["stats"]
    return {
        "instrument_name": row["instrument_name"],
        "base_currency": quote.listing.asset,
        "quote_currency": "USD" if quote.listing.inverse else "USDC",
        "last": row["last_price"],
        "mark_price": row["mark_price"],
        "mid_price": row["last_price"],
        "bid_price": row["best_bid_price"],
        "ask_price": row["best_ask_price"],
        "open_interest": row["open_interest"],
        "volume": stats["volume"],
        "volume_usd": stats["volume_usd"],
        "price_change": stats["price_change"],
        "high": stats["high"],
        "low": stats["low"],
        "current_funding": 0.0,
        "funding_8h": row["funding_8h"],
        "creation_timestamp": now_ms,
    }


def trade_row(quote: Quote, trade: Print) -> dict[str, Any]:
    """A forced order takes, so its flag is T."""
    listing = quote.listing
    size = amount(listing, trade.coins, trade.price)
    row = {
        "timestamp": trade.time_ms,
        "price": float(listing.price(trade.price)),
        "amount": size,
        "direction": "buy" if trade.is_buy else "sell",
        "index_price": float(listing.price(quote.index)),
        "instrument_name": listing.symbol,
        "trade_seq": trade.ident,
        "mark_price": float(listing.price(quote.mark)),
        "tick_direction": 0 if trade.is_buy else 2,
        "contracts": round(size / contract_size(listing), 6),
        "trade_id": f"{listing.asset}-{trade.ident}",
    }
    return row | {"liquidation": "T"} if trade.is_forced else row


def chart(listing: Listing, candles: Sequence[Candle]) -> dict[str, Any]:
    def prices(name: str) -> list[float]:
        return [float(listing.price(getattr(candle, name))) for candle in candles]

    return {
        "status": "ok" if candles else "no_data",
        "ticks": [candle.open_ms for candle in candles],
        "open": prices("open"),
        "high": prices("high"),
        "low": prices("low"),
        "close": prices("close"),
        "volume": [round(candle.coins, 8) for candle in candles],
        "cost": [round(candle.usd, 2) for candle in candles],
    }
