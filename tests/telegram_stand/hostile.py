"""What venues, files and people may call things, to be put wherever words of others enter a text of ours."""

from intelligence.alerts import AlertKind, Stage, VenueShare
from intelligence.market import Coverage
from tests.intelligence.builders import T0, an_alert

HOSTILE = {
    "a tag": "<b>x",
    "a closed tag": "</pre></b><script>",
    "an entity": "A&B&lt;&nbsp;",
    "markdown": "_*[x](y)~`>#+-=|{}.!\\",
    "right to left": "\u202egnp.exe\u2067",
    "another script": "币安人生",
    "emoji": "🔥👨‍👩‍👧🇩🇪" * 20,
    "nothing to be seen": "\u200b\u2060",
    "a null byte": "a\x00b\x1b[31m",
    "half a pair": "\ud83d",
    "5,000 letters": "W" * 5_000,
    "5,000 beyond the plane": "🔥" * 5_000,
    "5,000 to be escaped": "<" * 5_000,
    "lines": "a\nb\r\nc\u2028d\n\n\n",
    "formatting": "%s %d {0} {x!r}",
}
DECODED = {name: word for name, word in HOSTILE.items() if name != "half a pair"}  # what our decoders let in


def alerts_named(word, stage=Stage.RAISED):
    """One of every family, with that word wherever a venue, a file or a detector brings one."""
    share = VenueShare(venue=word, notional_usd=1e6, count=3, coverage=Coverage.CAPPED)
    named = {
        **dict.fromkeys(("asset", "venue", "instrument", "first_venue", "threshold_source"), word),
        "text": f"Told of {word}\n{word} {word}",
        "by_venue": (share,) * 6,
        "venues_able": (word,),
        "venues_configured": (word, "okx"),
        "context": (("venues_agreeing", word), ("open_interest_venues", word), (word, 1.0)),
        "factors": ((word, 1.0), ("single_usd", 1e4), ("multiple", 5.0)),
        "started_ms": T0 - 5_000,
        "latest_ms": T0,
        "stage": stage,
    }
    return [an_alert(alert_id=f"{kind}-{word}"[:24], kind=kind, **named) for kind in AlertKind]
