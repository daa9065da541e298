"""The numbers of volume spikes, apart from what works with them: settings are read where the feature is off, too."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRule:
    """`multiple`: relative volume that 5 and 15 minutes must reach (detection.md 7); `minute_multiple`: that a single minute
    must, which varies more (ours). `minimum_usd`: floor of 15 minutes (ours). `least_imbalance`, `least_sigmas`: one of them must hold (7).
    `minimum_lift`, `p2_lift`: how much wider than usual the ranges are, to be told and to interrupt people; ours, about
    two and one a day on the data of docs/evaluation.md. `rearm_ratio`, `rearm_windows`: the incident ends below that part of
    its threshold for so many of its own windows (4.6). `apart_minutes`: the least time between two incidents (ours).
    `growth`: how much more an update must tell (ours). `least_samples`: quarters of an hour before anything counts as usual:
    as many as a day of minutes brings (ours). `block_share`: one trade as so much of the volume is named (7).
    """

    multiple: float = 3.0
    minute_multiple: float = 8.0
    minimum_usd: float = 250_000.0
    least_imbalance: float = 0.25
    least_sigmas: float = 1.0
    minimum_lift: float = 3.0
    p2_lift: float = 3.5
    rearm_ratio: float = 0.60
    rearm_windows: int = 2
    apart_minutes: int = 60
    growth: float = 0.5
    least_samples: int = 92
    block_share: float = 0.5

    def multiple_of(self, minutes: int) -> float:
        return self.minute_multiple if minutes == 1 else self.multiple
