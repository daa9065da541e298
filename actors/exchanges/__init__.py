"""The venues we speak with, by name.

`<venue>.py` says what to ask of a venue, `<venue>_frames.py` what its sockets say, `<venue>_trades.py` the same for many
trades at once, `<venue>_rest.py` what it is asked by REST beside its list of instruments.
"""
