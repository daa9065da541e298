"""Where everybody lives: the paths of our tree that actors address. `supervisors/tree.py` builds what stands here."""

NOTIFY = "/notify"
DISPATCHER = "/notify/dispatcher"
TERMINAL = "/notify/terminal"
TELEGRAM = "/notify/telegram"
CHECKPOINTS = "/core/checkpoints"
VENUES = "/core/venues"
FEED_WATCH = "/core/watches/feeds"
SYMBOLS = "/core/symbols"
FEEDS = "/core/feeds"
CATALOGUES = "/core/polls/catalogues"
OPEN_INTEREST = "/core/polls/oi"
NEAR_MISSES = "/core/near-misses"
EXPLOSIONS = "/core/watches/explosions"
SELF_TESTS = "/core/polls/self-tests"
BACKFILL = "/core/polls/backfill"
UNIVERSE = "/core/polls/universe"
COMMANDS = "/edge/commands"
HERALD = "/edge/herald"
THRESHOLDS = "/features/thresholds"
VOLUME = "/features/volume"
ZONES = "/features/zones"
MARGIN_TIERS = "/features/margin-tiers"
MARKET_CAPS = "/features/market-caps/reader"
OUTCOMES = "/features/outcomes/ledger"
CHARTS = "/edge/charts"
INCIDENT_PICTURES = "/edge/pictures"
HTTP = "/edge/http"
RECORDER = "/recording/recorder"


def symbol_path(asset: str) -> str:
    """The path of an asset's symbol stream. Names that are not plain letters and digits travel as hex."""
    return f"{SYMBOLS}/{_symbol_id(asset)}"


def zones_path(asset: str) -> str:
    """The path of an asset's zone watch."""
    return f"{ZONES}/{_symbol_id(asset)}"


def asset_of(child_id: str) -> str:
    """The asset behind the last part of a symbol stream's path."""
    if child_id.startswith("u-"):
        return bytes.fromhex(child_id[2:]).decode()
    return child_id.upper()


def _symbol_id(asset: str) -> str:
    plain = asset.isascii() and asset.isalnum() and asset == asset.upper()
    return asset.lower() if plain else f"u-{asset.encode().hex()}"
