# SPDX-License-Identifier: MIT
"""The arithmetic of tools/bench: which rows may be reported, the fastest peer, ratios and how sure they are.

A side is a dict; side["turns"] has for each measure its turns [(round, [seconds, ...]), ...].  Sides that took part in the same
round met the same moment of the machine, so rounds are what is drawn anew for an interval."""
import random
import statistics

LEAST = 5  # steps of ours and of each peer that could be the fastest, in as many rounds
FAR_BEHIND = 2  # a peer whose least step is over twice that of the quickest cannot become the fastest
DRAWS, SEED, LEVEL = 1000, 1, 0.95


def quartile(values, share=0.25):
    """The lower quartile, between two values where it falls between (NumPy's default, R's type 7)."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def seconds_of(side, key):
    return [s for _, turn in side["turns"].get(key, []) for s in turn]


def by_round(side, key):
    rounds = {}
    for number, turn in side["turns"].get(key, []):
        rounds.setdefault(number, []).extend(turn)
    return rounds


def rounds_of(side, key):
    return len(by_round(side, key))


def ratio(ours, peer, key, of=quartile):
    """How many times as long the peer takes as ours, by `of` of all steps."""
    mine, theirs = seconds_of(ours, key), seconds_of(peer, key)
    return of(theirs) / of(mine) if mine and theirs else None


def interval(ours, peer, key, of=quartile, draws=DRAWS):
    """(low, high) of the ratio: rounds that both took part in are drawn with replacement, as many as there are (bootstrap of
    pairs, percentiles).  None with fewer than LEAST of them, which would look surer than it is."""
    mine, theirs = by_round(ours, key), by_round(peer, key)
    both = sorted(mine.keys() & theirs.keys())
    if len(both) < LEAST:
        return None
    rng, ratios = random.Random(SEED), []
    for _ in range(draws):
        drawn = rng.choices(both, k=len(both))
        ratios.append(of([s for r in drawn for s in theirs[r]]) / of([s for r in drawn for s in mine[r]]))
    return quartile(ratios, (1 - LEVEL) / 2), quartile(ratios, (1 + LEVEL) / 2)


def contenders(peers, key):
    """The peers that could be the fastest: all but those far behind."""
    least = {id(p): min(seconds_of(p, key)) for p in peers if seconds_of(p, key)}
    quickest = min(least.values(), default=0)
    return [p for p in peers if id(p) in least and least[id(p)] <= FAR_BEHIND * quickest]


def fastest(peers, key):
    """The peer with the least lower quartile among those with LEAST steps that are not far behind, or None."""
    could = [p for p in contenders(peers, key) if len(seconds_of(p, key)) >= LEAST]
    return min(could, key=lambda p: quartile(seconds_of(p, key)), default=None)


def refusal(ours, peers, key):
    """Why the row may not be reported, or None: a side that decides it has too few steps."""
    for side in [ours] + contenders(peers, key):
        n = len(seconds_of(side, key))
        if n < LEAST:
            return f"{side['name']} had {n} step{'s' * (n != 1)}, {LEAST} are wanted"
    return None


def median_ratio(ours, peer, key):
    return ratio(ours, peer, key, statistics.median)


def width(ours, peers, key):
    """How unsure the row is: the width of the interval of its fastest peer, relative to the ratio."""
    peer = fastest(peers, key)
    around = peer and interval(ours, peer, key, draws=200)
    return (around[1] - around[0]) / ratio(ours, peer, key) if around else 0
