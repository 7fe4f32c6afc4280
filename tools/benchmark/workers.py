# SPDX-License-Identifier: MIT
"""Processes that answer requests for timed steps, and taking turns among them."""
import json
import os
import select
import signal
import subprocess
import time

import figures


class Worker:
    """A peer or ourselves.  Stopped by SIGSTOP while it is not its turn, so that it cannot take the cores."""

    def __init__(self, name, command, environment, errors):
        self.errors, self.buffer = errors, b""
        # What it measured, as figures.py and the page take it; a measure is "train 32".
        self.side = {"name": name, "facts": {}, "failure": {}, "turns": {}, "peak_kb": {}}
        self.log = open(errors, "w")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=dict(os.environ, **environment), start_new_session=True)

    def alive(self):
        return self.process is not None

    def why(self, limit):
        self.log.flush()
        lines = [line.strip() for line in open(self.errors, errors="replace") if line.strip()]
        return lines[-1][:160] if lines else f"no answer in {limit:.0f} s"

    def answer(self, limit):
        """The next line of JSON, or None after the time limit or the end of the process, which is then over."""
        deadline = time.monotonic() + limit
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            ready = select.select([self.process.stdout], [], [], max(0, left))[0] if left > 0 else []
            block = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not block:
                self.end()
                return None
            self.buffer += block
        line, self.buffer = self.buffer.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:  # a library's own print
            return self.answer(deadline - time.monotonic())

    def wait_ready(self, limit):
        facts = self.answer(limit)
        if facts is None:
            self.side["failure"]["start"] = self.why(limit)
        else:
            self.side["facts"] = facts
            os.kill(self.process.pid, signal.SIGSTOP)

    def turn(self, key, steps, limit, number):
        """Steps of the measure in round `number`."""
        side, got = self.side, self.ask(f"{key} {steps}", limit)
        if got is None:
            side["failure"][key] = self.why(limit)
        elif "error" in got:
            side["failure"][key] = got["error"]
        else:
            side["turns"].setdefault(key, []).append((number, got["seconds"]))
            # A process's peak only grows: a forward pass counts as it was before any training.
            if key.startswith("train") or key not in side["peak_kb"]:
                side["peak_kb"][key] = got["peak_kb"]

    def ask(self, request, limit):
        """Any other request; its answer, or None."""
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.write((request + "\n").encode())
        self.process.stdin.flush()
        got = self.answer(limit)
        if got is not None:
            os.kill(self.process.pid, signal.SIGSTOP)
        return got

    def end(self):
        if self.process is None:
            return
        for number in signal.SIGCONT, signal.SIGKILL:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None
        self.log.close()
        self.log = open(self.errors, "a")


def take_part(worker, key, number, aim, limit):
    """The turn of one worker in a round: as many steps as fit into `aim` seconds, one to eight."""
    known, most = figures.seconds_of(worker.side, key), 8
    if not known:
        worker.turn(key, 1, limit, number)
        known, most = figures.seconds_of(worker.side, key), 7
        if not known or min(known) > aim / 2:
            return
    worker.turn(key, max(1, min(most, int(aim / min(known)))), limit, number)


def make_round(workers, key, number, say, aim, limit):
    """Every worker that counts has a turn.  Another one begins in each round, so that none always follows the same."""
    peers = [w.side for w in workers[1:]]
    for worker in workers[number % len(workers):] + workers[:number % len(workers)]:
        side = worker.side
        if not worker.alive() or key in side["failure"]:
            continue
        if worker is not workers[0] and key in side["turns"] and not any(side is p for p in figures.contenders(peers, key)):
            continue  # it needs not be exact
        say(f"{key}, round {number + 1}: {side['name']}")
        take_part(worker, key, number, aim, limit)


def take_turns(workers, keys, soft, hard, say, aim=0.7, limit=120, most_rounds=60):
    """Rounds of the measures `keys`; the first worker is ours.  Each measure has figures.LEAST rounds first, the measures by turns,
    until `hard` at the latest.  What is left until `soft` is given to the one that is least sure."""
    rounds = dict.fromkeys(keys, 0)
    ours, peers = workers[0].side, [w.side for w in workers[1:]]
    while rounds:
        now = time.monotonic()
        few = [k for k in rounds if rounds[k] < figures.LEAST]
        if few and now < hard:
            key = min(few, key=rounds.get)
        elif not few and now < soft:
            key = max(rounds, key=lambda k: (figures.width(ours, peers, k), -rounds[k]))
        else:
            return
        make_round(workers, key, rounds[key], say, aim, limit)
        rounds[key] += 1
        if key in ours["failure"] or not workers[0].alive() or rounds[key] == most_rounds:
            del rounds[key]
