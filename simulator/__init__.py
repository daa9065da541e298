"""The embedded market simulator: three venues' protocols on loopback, before one seeded market or recorded tapes.

It reads the protocols for itself and imports nothing of the daemon, so that an error of one is not repeated by the
other. Start reading at `market.py` (the truth), then `binance.py` (how a venue shows it), then `server.py`.
"""
