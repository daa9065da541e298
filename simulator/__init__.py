"""The embedded market simulator: seven venues' protocols on loopback, before one seeded market or recorded tapes.

It reads the protocols for itself and imports nothing of the daemon, so that an error of one is not repeated by the
other. Start reading at `market.py` (the truth) and `flow.py` (its trades), then `binance.py` and `binance_feeds.py` (how a venue
shows them), then `server.py`.
"""
