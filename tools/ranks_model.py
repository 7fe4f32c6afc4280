# SPDX-License-Identifier: MIT
"""A model of training by several processes, and its tables: read by tools/ranks-scaling.

A step of a rank is, in this order: each layer forward (a batch norm waits for two words of all others), a word of all
outputs, each layer backward, whose gradients are then summed behind the layers before it, the wait for what is left of
these sums, the optimiser, a word.

  a layer  a + b * clips, seconds of one core, from steps over 32 and over 8 clips: its operations are in b, what it
           does once in a step (reading weights, folding groups) in a
  a sum    `second` seconds a byte of the gradients, for all ranks at once, and `latency` at the end; of these seconds
           the layers do not get a part, which is what computing beside a sum takes longer
  a word   `word` seconds: from the end of computing 2 ms until all have said so, as no rank computes as long as another
  cores    ranks share them: with more ranks than cores a rank computes so much slower

Each number of ranks has the sums and words that were measured among as many.  For the projection those of two ranks
are taken: of N, a rank sends and gets 2 (N - 1) / N of the gradients, and each message to one rank more costs the
processor time of a message."""
import math

LIMIT = 15  # % by which a prediction may be off
OVERHEAD = 1.02  # of a step of one rank against the plain program
PIECE = 1 << 19  # bytes of one rank's piece (src/ranks/ranks_sum.c)
SMALL = 4096


class Link:
    """What sums and words cost among so many ranks."""

    def __init__(self, ranks, second, used, latency, word, message):
        self.ranks, self.second, self.used = ranks, second, used
        self.latency, self.word, self.message = latency, word, message

    @staticmethod
    def measured(ranks, pings, cores):
        sums = [p for p in pings if p[0] == "sum"]
        word, late = (next(p for p in pings if p[0] == what) for what in ("word", "late"))
        (_, n0, t0, _, _), (_, n1, t1, _, _) = sums[-2], sums[-1]
        second = (t1 - t0) / (n1 - n0)
        beside = next(p for p in pings if p[0] == "beside")
        used = beside[2] / beside[1] * min(1, cores / ranks)
        small = next(p for p in sums if p[1] >= 16 * SMALL)
        return Link(ranks, second, min(used, second), max(0, small[2] - small[1] * second), late[2],
                    word[4] / max(1, ranks - 1))

    def of(self, ranks):
        """From two ranks to more of them."""
        more = (ranks - 2) * self.message
        share = 2 * (ranks - 1) / ranks
        return Link(ranks, self.second * share, self.used * share, self.latency + 2 * more, self.word + more,
                    self.message)

    def bytes_time(self, n, projected):
        if n <= SMALL:
            return 0 if not projected else (self.ranks - 1) * self.message
        pieces = math.ceil(n / (PIECE * self.ranks))
        return n * self.second + (2 * pieces * (self.ranks - 2) * self.message if projected else 0)


class Net:
    """The layers of a net: (name, (a, b) forward, (a, b) backward, bytes of gradients); seconds of one core."""

    def __init__(self, measured, clips):
        full, part, sizes = measured["full"], measured["part"], measured["bytes"]
        few = clips // 4

        def seconds(r):
            whole = sum(f + b for _, f, b in r["layers"]) + r["optimiser"]
            scale = min(1, 0.98 * r["median"] / whole) / 1e3
            return scale, r["median"] / 1e3 - whole * scale

        (s1, other1), (s0, other0) = seconds(full), seconds(part)

        def line(few_ms, many_ms):
            t0, t1 = few_ms * s0, many_ms * s1
            b = max(0, (t1 - t0) / (clips - few))
            return max(0, t1 - b * clips), b

        self.layers = []
        for (name, f1, b1), (_, f0, b0) in zip(full["layers"], part["layers"]):
            self.layers.append((name, line(f0, f1), line(b0, b1), sizes.get(name, 0)))
        self.optimiser = full["optimiser"] * s1
        self.other = line(other0 / s0, other1 / s1)

    def step(self, clips, link, cores, speed=1, projected=False):
        """Seconds of a step, of its sums, and of those behind computing.  Without a link: of one process."""
        share = min(1, cores / link.ranks) if link else 1
        at = lambda ab: (ab[0] + ab[1] * clips) / speed  # noqa: E731
        t = sum(at(f) for _, f, _, _ in self.layers) / share
        rest = (self.optimiser / speed + at(self.other)) / share
        if not link:
            return t + sum(at(b) for _, _, b, _ in self.layers) + rest, 0, 0
        norms = sum(name.startswith("batch_norm") or "/batch_norm" in name for name, *_ in self.layers)
        t += (2 * norms + 1) * link.word
        left = hidden = whole = 0  # seconds of sums that are left, at the speed of the link
        slowed = max(0.1 * share, share - link.used / link.second / max(1, speed))
        for name, _, b, size in reversed(self.layers):
            todo = at(b)
            if left > 0:  # beside the sums, then alone
                beside = min(left, todo / slowed)
                left, hidden, t, todo = left - beside, hidden + beside, t + beside, todo - beside * slowed
            t += todo / share
            if "batch_norm" in name:
                t += link.word
            took = link.bytes_time(size, projected)
            left, whole = left + took, whole + took
        return t + left + link.latency + rest + link.word, whole + link.latency, hidden


def least(pings):
    """Of several measurements each line with the least median."""
    return [min(rows, key=lambda r: r[2]) for rows in zip(*pings)]


def number(x):
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}"


def tell_overhead(measured, nets, say):
    failed = []
    say("\n## overhead and memory\n")
    say("| net | parameters | plain: ms a step | least | mpirun -n 1: ms | least | ratio of medians | of least |"
        " MB plain | MB of 1 rank |")
    say("|---|---|---|---|---|---|---|---|---|---|")
    for net in nets:
        m = measured["nets"][net]
        o, count = m["overhead"], sum(m["bytes"].values()) // 4
        plain, one = o["plain"], o["one"]
        say(f"| {net} | {count:,} | {plain['median']:.1f} | {plain['least']:.1f} | {one['median']:.1f} | "
            f"{one['least']:.1f} | {o['median']:.3f} | {o['least']:.3f} | {plain['memory'][0]:.0f} | "
            f"{one['memory'][0]:.0f} |")
        if min(o["median"], o["least"]) > OVERHEAD:
            failed.append(f"{net}: a rank alone takes {o['least']:.3f} of the plain program's time")
    return failed


def tell_steps(measured, nets, places, words, say, clips):
    failed = []
    say("\n## steps\n")
    say("| net | network | ranks | ms a step | least | MB a step sent | waited, ms | hidden, ms | hidden |"
        " MB a rank | model, ms | off by |")
    say("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name in nets:
        m = measured["nets"][name]
        net, one = Net(m, clips), m["overhead"]["one"]
        say(f"| {name} | | 1 | {one['median']:.1f} | {one['least']:.1f} | | | | | "
            f"{one['memory'][0]:.0f} | | |")
        for place in places:
            for ranks in (2, 4):
                r = measured["steps"][f"{name} {place} {ranks}"]
                link = Link.measured(ranks, measured["pings"][f"{place} {ranks}"], measured["cores"])
                ms = 1e3 * net.step(clips / ranks, link, measured["cores"])[0]
                off = 100 * (ms / r["median"] - 1)
                sums = r["hidden"] + max(0, r["waited"])
                say(f"| {name} | {words[place]} | {ranks} | {r['median']:.1f} | {r['least']:.1f} | {r['mb']:.1f} | "
                    f"{r['waited']:.1f} | {r['hidden']:.1f} | {100 * r['hidden'] / max(sums, 1e-9):.0f} % | "
                    f"{max(r['memory']):.0f} | {ms:.1f} | {off:+.0f} % |")
                if abs(off) > LIMIT:
                    failed.append(f"{name}, {words[place]}, {ranks} ranks: the model is off by {off:+.0f} %")
    return failed


def tell_links(measured, places, words, say):
    say("\n## sums and words between ranks\n")
    say("| network | ranks | a word, ms | 64 kB, ms | 64 MB, ms | MB/s a rank, each way | taken of computing |")
    say("|---|---|---|---|---|---|---|")
    for place in places:
        for ranks in (2, 4):
            pings = measured["pings"][f"{place} {ranks}"]
            link = Link.measured(ranks, pings, measured["cores"])
            of = {p[1]: p[2] for p in pings if p[0] == "sum"}
            largest = max(of)
            rate = 2 * (ranks - 1) / ranks / link.second / 1e6
            say(f"| {words[place]} | {ranks} | {1e3 * link.word:.3f} | {1e3 * of[65536]:.2f} | "
                f"{1e3 * of[largest]:.1f} | {rate:.0f} | {100 * link.used / link.second:.0f} % |")


NODES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def tell_projection(measured, nets, places, words, say, clips):
    """Efficiency of N nodes: the time of one node over that of N times N."""
    titles = f"weak: {clips} clips a node", f"strong: a batch of {4 * NODES[-1]} clips in {NODES[-1]} groups"
    for title, weak in zip(titles, (True, False)):
        say(f"\n## projection, {title}: efficiency in %, and ms a step of 256 nodes\n")
        say("| net | network | a node computes as | " + " | ".join(str(n) for n in NODES[1:]) + " | ms |")
        say("|---|---|---|" + "---|" * len(NODES))
        for name in nets:
            net = Net(measured["nets"][name], clips)
            for place in [p for p in places if p != "shm"]:
                two = Link.measured(2, measured["pings"][f"{place} 2"], measured["cores"])
                for speed in (1, 16):
                    row, alone = [], None
                    for nodes in NODES:
                        each = clips if weak else 4 * NODES[-1] / nodes
                        t = net.step(each, two.of(nodes) if nodes > 1 else None, nodes * speed, speed, True)[0]
                        alone = alone or t
                        row.append(100 * alone / t / (1 if weak else nodes))
                    cells = " | ".join(f"{e:.0f}" for e in row[1:])
                    say(f"| {name} | {words[place]} | {speed} core{'s' if speed > 1 else ''} | {cells} | "
                        f"{number(1e3 * t)} |")


def tell(measured, nets, places, words, say, clips=32):
    """All tables; gives what was not kept."""
    failed = tell_overhead(measured, nets, say) + tell_steps(measured, nets, places, words, say, clips)
    tell_links(measured, places, words, say)
    tell_projection(measured, nets, places, words, say, clips)
    return failed
