"""Gate USDT futures: rows of REST and WebSocket (exchanges.md section 6). Sizes count contracts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulator.assets import ASSETS
from simulator.book import TrueLiquidation
from simulator.candles import Candle
from simulator.flow import Print
from simulator.listings import Listing
from simulator.tiers import tiers_of
from simulator.venue import OpenPoint, Quote

FUNDING_S = 8 * 3600
Size = int | str
_ASSETS = {asset.name: asset for asset in ASSETS}
_DECOYS: tuple[dict[str, Any], ...] = (
    # contracts a reader has to leave out: a share, a metal, one before its market opens, one being delisted
    {"name": "TSLAX_USDT", "contract_type": "stocks"},
    {"name": "PAXG_USDT", "contract_type": "metals"},
    {"name": "NEWCOIN_USDT", "is_pre_market": True},
    {"name": "OLDCOIN_USDT", "in_delisting": True, "status": "delisting"},
)


def size_of(listing: Listing, coins: float, *, decimal: bool) -> Size:
    """A decimal text for who sent X-Gate-Size-Decimal, whole contracts for all others."""
    return listing.size(coins) if decimal else round(coins / listing.contract_size)


def instrument_row(name: str, *, multiplier: str = "1", tick: str = "0.0001", **other: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "type": "direct",
        "contract_type": "",
        "quanto_multiplier": multiplier,
        "order_price_round": tick,
        "mark_price_round": tick,
        "mark_type": "index",
        "leverage_min": "1",
        "leverage_max": "50",
        "maintenance_rate": "0.01",
        "maker_fee_rate": "-0.0002",
        "taker_fee_rate": "0.0005",
        "order_size_min": 1,
        "order_size_max": 1_000_000,
        "funding_interval": FUNDING_S,
        "funding_rate_limit": "0.003",
        "in_delisting": False,
        "is_pre_market": False,
        "status": "trading",
        "enable_decimal": False,
        "launch_time": 1_574_035_200,
        "create_time": 1_574_035_200,
    }
    return row | other


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, Any]]:
    rows = [
        instrument_row(
            listing.symbol,
            multiplier=f"{listing.contract_size:.12g}",
            tick=listing.tick,
            enable_decimal=listing.size_decimals > 0,
            leverage_max=str(_ASSETS[listing.asset].max_leverage),
            maintenance_rate=f"{tiers_of(_ASSETS[listing.asset])[0].rate:g}",
        )
        for listing in listings
    ]
    return rows + [instrument_row(**decoy) for decoy in _DECOYS]


def tape_rows(symbols: Iterable[str]) -> list[dict[str, Any]]:
    return [instrument_row(symbol) for symbol in symbols]


def live_part(quote: Quote) -> dict[str, Any]:
    """What of a contract's row changes."""
    return {
        "mark_price": quote.listing.price(quote.mark),
        "index_price": quote.listing.price(quote.index),
        "last_price": quote.listing.price(quote.last),
        "funding_rate": f"{quote.funding_rate:.6f}",
        "funding_next_apply": quote.next_funding_ms // 1000,
        "position_size": size_of(quote.listing, quote.open_coins, decimal=False),
    }


def ticker_row(quote: Quote) -> dict[str, Any]:
    """All text; `total_size` is open interest."""
    listing = quote.listing
    coins = quote.turnover_usd / quote.last
    return {
        "contract": listing.symbol,
        "last": listing.price(quote.last),
        "change_percentage": f"{(quote.last / quote.day_ago - 1) * 100:.2f}",
        "total_size": listing.size(quote.open_coins),
        "volume_24h": f"{coins / listing.contract_size:.0f}",
        "volume_24h_base": f"{coins:.0f}",
        "volume_24h_quote": f"{quote.turnover_usd:.0f}",
        "volume_24h_settle": f"{quote.turnover_usd:.0f}",
        "mark_price": listing.price(quote.mark),
        "index_price": listing.price(quote.index),
        "funding_rate": f"{quote.funding_rate:.6f}",
        "funding_rate_indicative": f"{quote.funding_rate:.6f}",
        "quanto_base_rate": "",
        "highest_bid": listing.price(quote.last),
        "lowest_ask": listing.price(quote.last),
        "low_24h": listing.price(min(quote.last, quote.day_ago)),
        "high_24h": listing.price(max(quote.last, quote.day_ago)),
    }


def contract_info(row: Mapping[str, Any], listing: Listing | None) -> dict[str, Any]:
    """Of a contract on the socket; `listing` is None for one without a market here."""
    kept = {name: row[name] for name in ("quanto_multiplier", "order_price_round", "mark_price_round", "leverage_max")}
    return {"contract": row["name"]} | kept | {"risk_limit_tiers": tier_rows(listing) if listing else []}


def trade_row(listing: Listing, trade: Print, *, decimal: bool, in_rest: bool) -> dict[str, Any]:
    """The sign is the taker's side; `create_time_ms` is milliseconds on the socket, seconds with a fraction in REST."""
    size = size_of(listing, trade.coins if trade.is_buy else -trade.coins, decimal=decimal)
    return {
        "id": trade.ident,
        "create_time": trade.time_ms // 1000,
        "create_time_ms": trade.time_ms / 1000 if in_rest else trade.time_ms,
        "contract": listing.symbol,
        "size": size,
        "price": listing.price(trade.price),
    }


def candle_row(listing: Listing, candle: Candle, *, decimal: bool) -> dict[str, Any]:
    return {
        "t": candle.open_ms // 1000,
        "o": listing.price(candle.open),
        "h": listing.price(candle.high),
        "l": listing.price(candle.low),
        "c": listing.price(candle.close),
        "v": size_of(listing, candle.coins, decimal=decimal),
        "sum": f"{candle.usd:.4f}",
    }


def public_liquidation(listing: Listing, row: TrueLiquidation, *, decimal: bool) -> dict[str, Any]:
    """On the socket the sign is that of the order: a long is closed by a sale."""
    coins = -row.quantity if row.is_long else row.quantity
    return {
        "price": listing.price(row.bankruptcy_price),
        "size": size_of(listing, coins, decimal=decimal),
        "time": row.time_ms,
        "contract": listing.symbol,
    }


def liquidation_order(listing: Listing, row: TrueLiquidation, *, decimal: bool) -> dict[str, Any]:
    """In REST the sign of `size` is that of the position."""
    coins = row.quantity if row.is_long else -row.quantity
    return {
        "time": row.time_ms // 1000,
        "contract": listing.symbol,
        "size": size_of(listing, coins, decimal=decimal),
        "order_size": size_of(listing, -coins, decimal=decimal),
        "order_price": listing.price(row.bankruptcy_price),
        "fill_price": listing.price(row.price),
        "left": "0" if decimal else 0,
    }


def statistics_row(
    listing: Listing, point: OpenPoint, candle: Candle | None, liquidated: Sequence[TrueLiquidation], *, decimal: bool
) -> dict[str, Any]:
    """Totals of one period: of what was liquidated, contracts, coins and USD by side."""
    sold = candle.usd - candle.buy_usd if candle else 0.0
    row: dict[str, Any] = {
        "time": point.time_ms // 1000,
        "lsr_taker": candle.buy_usd / sold if candle and sold else 1,
        "lsr_account": 1.1,
        "open_interest": size_of(listing, point.coins, decimal=decimal),
        "open_interest_usd": round(point.coins * point.price, 2),
        "top_lsr_account": 1.2,
        "top_lsr_size": 1.05,
        "mark_price": point.price * listing.multiplier,
    }
    for side, is_long in (("long", True), ("short", False)):
        rows = [each for each in liquidated if each.is_long is is_long]
        coins = sum(each.quantity for each in rows)
        row[f"{side}_liq_size"] = size_of(listing, coins, decimal=decimal)
        row[f"{side}_liq_amount"] = round(coins, 8)
        row[f"{side}_liq_usd"] = round(sum(each.notional_usd for each in rows), 4)
    return row


def tier_rows(listing: Listing) -> list[dict[str, Any]]:
    return [
        {
            "tier": tier.number,
            "risk_limit": f"{tier.cap_usd:.0f}",
            "initial_rate": f"{1 / tier.max_leverage:.6g}",
            "maintenance_rate": f"{tier.rate:g}",
            "leverage_max": str(tier.max_leverage),
            "contract": listing.symbol,
            "deduction": f"{tier.deduction_usd:.0f}",
        }
        for tier in tiers_of(_ASSETS[listing.asset])
    ]
