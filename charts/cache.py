"""Pictures that were drawn a moment ago. Pure; used on one thread."""

from collections import OrderedDict
from collections.abc import Hashable


class PictureCache:
    """At most `size` pictures, each for `keep_s` seconds."""

    def __init__(self, *, size: int, keep_s: float) -> None:
        self._size, self._keep_s = size, keep_s
        self._kept: OrderedDict[Hashable, tuple[float, bytes]] = OrderedDict()

    def get(self, key: Hashable, now_s: float) -> bytes | None:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and now_s - kept[0] < self._keep_s else None

    def put(self, key: Hashable, png: bytes, now_s: float) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (now_s, png)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
