"""Quantiles of streams: close enough, in bounded memory, and by rank alone."""

import math
from random import Random

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intelligence.thresholds.digest import BUFFER, Digest, quantiles

SHARES = (0.5, 0.9, 0.99, 0.999)


def digest_of(values):
    digest = Digest()
    for value in values:
        digest.add((value,))
    return digest


def test_nothing_has_no_quantile():
    assert quantiles([Digest()], (0.5,)) is None


def test_few_values_are_kept_as_they_are():
    digest = digest_of([5.0, 1.0, 3.0])

    assert quantiles([digest], (0.0, 0.5, 1.0)) == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("share", SHARES)
def test_heavy_tails_are_told_to_within_a_few_percent(share):
    random = Random(7)
    values = [random.paretovariate(1.5) for _ in range(20_000)]

    (found,) = quantiles([digest_of(values)], (share,))
    rank = sum(value <= found for value in values) / len(values)
    assert abs(rank - share) < 0.05 * (1 - share) + 1e-4


def test_digests_of_days_together_tell_what_one_over_all_would():
    random = Random(3)
    values = [random.paretovariate(1.5) for _ in range(28_000)]
    days = [digest_of(values[start : start + 1_000]) for start in range(0, len(values), 1_000)]

    for share in SHARES:
        (found,) = quantiles(days, (share,))
        rank = sum(value <= found for value in values) / len(values)
        assert abs(rank - share) < 0.05 * (1 - share) + 1e-4


def test_memory_is_bounded():
    random = Random(1)
    digest = digest_of(random.random() for _ in range(50_000))

    assert digest.count == 50_000
    assert len(digest.means) < 400
    assert len(digest.waiting) < BUFFER


@example([1.0, 1.0, 16_760_457.0], 1.001)
@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=1_000), st.floats(1e-3, 1e3))
def test_scaling_the_values_scales_the_quantiles(values, factor):
    before = quantiles([digest_of(values)], SHARES)
    after = quantiles([digest_of([value * factor for value in values])], SHARES)

    assert all(math.isclose(one * factor, other, rel_tol=1e-9) for one, other in zip(before, after, strict=True))


@given(st.permutations([3.0, 1.0, 4.0, 1.5, 9.0, 2.6]))
def test_what_comes_together_counts_in_any_order(values):
    digest = Digest()
    digest.add(values)

    assert digest.waiting == sorted(values)


def test_a_checkpoint_gives_back_the_same_digest():
    digest = digest_of(range(1_000))

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(digest), type=Digest) == digest
