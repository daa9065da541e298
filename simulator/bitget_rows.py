"""Bitget USDT futures (UTA v3): rows of REST and WebSocket (exchanges.md 7.1, 7.3). Every value is text."""

from collections.abc import Iterable
from typing import Any

from simulator.assets import ASSETS
from simulator.book import TrueLiquidation
from simulator.candles import Candle
from simulator.flow import Print
from simulator.listings import Listing
from simulator.tiers import tiers_of
from simulator.venue import Quote

_ASSETS = {asset.name: asset for asset in ASSETS}
_DECOYS: tuple[dict[str, str], ...] = (
    # contracts a reader has to leave out: a share under the flag alone, a metal, one that ended, a dated one
    {"symbol": "TSLAUSDT", "baseCoin": "TSLA", "isRwa": "YES"},
    {"symbol": "XAUUSDT", "baseCoin": "XAU", "symbolType": "metal", "isRwa": "YES"},
    {"symbol": "OLDCOINUSDT", "baseCoin": "OLDCOIN", "status": "offline"},
    {"symbol": "BTCUSDT261225", "baseCoin": "BTC", "type": "delivery", "deliveryTime": "1798185600000"},
)


def instrument_row(symbol: str, base: str, *, tick: str = "0.0001", step: str = "1", **other: str) -> dict[str, str]:
    row = {
        "symbol": symbol,
        "category": "USDT-FUTURES",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "type": "perpetual",
        "symbolType": "crypto",
        "isRwa": "NO",
        "status": "online",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "feeRateUpRatio": "0.005",
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
        "minOrderQty": step,
        "maxOrderQty": "1000000",
        "pricePrecision": str(len(tick.partition(".")[2])),
        "quantityPrecision": str(len(step.partition(".")[2])),
        "priceMultiplier": tick,
        "quantityMultiplier": step,
        "minOrderAmount": "5",
        "minLeverage": "1",
        "maxLeverage": "50",
        "fundInterval": "8",
        "launchTime": "0",
        "offTime": "-1",
        "deliveryTime": "",
    }
    return row | other


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, str]]:
    rows = [
        instrument_row(
            listing.symbol,
            listing.symbol.removesuffix("USDT"),
            tick=listing.tick,
            step=listing.step,
            maxLeverage=str(_ASSETS[listing.asset].max_leverage),
        )
        for listing in listings
    ]
    return rows + [instrument_row(decoy["symbol"], decoy["baseCoin"]) | decoy for decoy in _DECOYS]


def tape_rows(symbols: Iterable[str]) -> list[dict[str, str]]:
    return [instrument_row(symbol, symbol.removesuffix("USDT")) for symbol in symbols]


def ticker_row(quote: Quote) -> dict[str, str]:
    listing = quote.listing
    coins = quote.turnover_usd / quote.last
    return {
        "lastPrice": listing.price(quote.last),
        "openPrice24h": listing.price(quote.day_ago),
        "highPrice24h": listing.price(max(quote.last, quote.day_ago)),
        "lowPrice24h": listing.price(min(quote.last, quote.day_ago)),
        "price24hPcnt": f"{quote.last / quote.day_ago - 1:.5f}",
        "volume24h": listing.size(coins),
        "turnover24h": f"{quote.turnover_usd:.4f}",
        "indexPrice": listing.price(quote.index),
        "markPrice": listing.price(quote.mark),
        "fundingRate": f"{quote.funding_rate:.6f}",
        "openInterest": listing.size(quote.open_coins),
        "bid1Price": listing.price(quote.last),
        "ask1Price": listing.price(quote.last),
        "bid1Size": "1",
        "ask1Size": "1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryStatus": "",
    }


def trade_on_socket(listing: Listing, trade: Print) -> dict[str, str]:
    return {
        "i": str(trade.ident),
        "p": listing.price(trade.price),
        "v": listing.size(trade.coins),
        "S": "buy" if trade.is_buy else "sell",
        "T": str(trade.time_ms),
        "L": str(trade.ident),
        "isRPI": "no",
    }


def trade_in_rest(listing: Listing, trade: Print) -> dict[str, str]:
    return {
        "execId": str(trade.ident),
        "execLinkId": str(trade.ident),
        "price": listing.price(trade.price),
        "size": listing.size(trade.coins),
        "side": "buy" if trade.is_buy else "sell",
        "ts": str(trade.time_ms),
        "isRPI": "no",
    }


def candle_on_socket(listing: Listing, candle: Candle) -> dict[str, str]:
    return {
        "start": str(candle.open_ms),
        "open": listing.price(candle.open),
        "close": listing.price(candle.close),
        "high": listing.price(candle.high),
        "low": listing.price(candle.low),
        "volume": listing.size(candle.coins),
        "turnover": f"{candle.usd:.6f}",
    }


def candle_in_rest(listing: Listing, candle: Candle) -> list[str]:
    row = candle_on_socket(listing, candle)
    return [row[name] for name in ("start", "open", "high", "low", "close", "volume", "turnover")]


def liquidation_row(listing: Listing, row: TrueLiquidation, *, in_quote: bool) -> dict[str, Any]:
    """`side` is that of the position. `amount`: USDT on the socket, coins in REST (exchanges.md 7.4).

    The amount in USDT is at the price of the row, so that the two divide to the price.
    """
    coins = row.quantity / listing.coins_per_unit
    price = listing.price(row.bankruptcy_price)
    return {
        "symbol": listing.symbol,
        "side": "buy" if row.is_long else "sell",
        "price": price,
        "amount": f"{coins * float(price):.6f}" if in_quote else listing.size(row.quantity),
        "ts": str(row.time_ms),
    }


def tier_rows(listing: Listing) -> list[dict[str, str]]:
    return [
        {
            "tier": str(tier.number),
            "minTierValue": f"{tier.floor_usd:.0f}",
            "maxTierValue": f"{tier.cap_usd:.0f}",
            "leverage": str(tier.max_leverage),
            "mmr": f"{tier.rate:g}",
        }
        for tier in tiers_of(_ASSETS[listing.asset])
    ]
