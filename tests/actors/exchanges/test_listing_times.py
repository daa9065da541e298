"""Since when a contract is traded: out of each venue's list, into every figure of open interest."""

import json

import pytest

from actors.exchanges import records
from actors.exchanges.registry import EXCHANGES

LISTED_MS = 1_790_000_000_000
BODIES = {
    "binance": lambda at: {
        "symbols": [
            {
                "symbol": "BTCUSDT",
                "contractType": "PERPETUAL",
                "status": "TRADING",
                "baseAsset": "BTC",
                "quoteAsset": "USDT",
                "onboardDate": at,
            }
        ]
    },
    "bybit": lambda at: {
        "retCode": 0,
        "retMsg": "OK",
        "result": {
            "list": [
                {
                    "symbol": "BTCUSDT",
                    "contractType": "LinearPerpetual",
                    "status": "Trading",
                    "baseCoin": "BTC",
                    "quoteCoin": "USDT",
                    "launchTime": at,
                }
            ]
        },
    },
    "okx": lambda at: {
        "code": "0",
        "data": [
            {
                "instId": "BTC-USDT-SWAP",
                "instType": "SWAP",
                "ctType": "linear",
                "ctVal": "0.01",
                "ctMult": "1",
                "ctValCcy": "BTC",
                "settleCcy": "USDT",
                "state": "live",
                "uly": "BTC-USDT",
                "listTime": at,
            }
        ],
    },
    "gate": lambda at: [{"name": "BTC_USDT", "quanto_multiplier": "0.0001", "launch_time": at}],
    "bitget": lambda at: {
        "code": "00000",
        "data": [
            {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "status": "online", "launchTime": at},
        ],
    },
}


def listed(venue, at):
    (one,) = EXCHANGES[venue].read_instruments(json.dumps(BODIES[venue](at)).encode()).instruments
    return one


@pytest.mark.parametrize("venue", BODIES)
@pytest.mark.parametrize("written", [LISTED_MS, str(LISTED_MS), LISTED_MS // 1000])
def test_a_contract_knows_since_when_it_is_traded(venue, written):
    assert listed(venue, written).listed_ms == LISTED_MS


@pytest.mark.parametrize("venue", BODIES)
@pytest.mark.parametrize("written", ["0", 0, None, "", "soon", -5, 1e300, [1], {}])
def test_a_time_that_says_nothing_costs_no_contract(venue, written):
    assert listed(venue, written).listed_ms is None


def test_every_figure_of_open_interest_carries_it():
    figure = records.open_interest(listed("binance", LISTED_MS), (LISTED_MS, LISTED_MS), size=5.0)

    assert figure.listed_ms == LISTED_MS
