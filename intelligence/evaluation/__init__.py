"""How good alerts and zones are, by the protocol of detection.md 11 and 12. Needs numpy; nothing of the daemon imports it."""
