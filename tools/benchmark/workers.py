"""Processes that answer requests for timed steps, and taking turns among them."""
import json
import os
import select
import signal
import subprocess
import time


class Worker:
    """A peer or ourselves.  Stopped by SIGSTOP while it is not its turn, so that it cannot take the cores."""

    def __init__(self, name, command, environment, errors):
        self.name, self.errors = name, errors
        self.facts, self.failure, self.seconds, self.peaks, self.buffer = {}, {}, {}, {}, b""
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
            self.failure["start"] = self.why(limit)
        else:
            self.facts = facts
            os.kill(self.process.pid, signal.SIGSTOP)

    def turn(self, what, batch, steps, limit):
        got = self.ask(f"{what} {batch} {steps}", limit)
        if got is None:
            self.failure[what, batch] = self.why(limit)
        elif "error" in got:
            self.failure[what, batch] = got["error"]
        else:
            self.seconds.setdefault((what, batch), []).extend(got["seconds"])
            # A process's peak only grows: a forward pass counts as it was before any training.
            if what == "train" or (what, batch) not in self.peaks:
                self.peaks[what, batch] = got["peak_kb"]

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


def best(workers, key):
    return min(min(w.seconds[key]) for w in workers if w.seconds.get(key))


def take_turns(workers, measures, deadline, say, most_rounds=9, aim=0.7, limit=90):
    """Every worker in turn makes every measure, round after round, until the deadline has passed or `most_rounds` are done.
    The first round is made in any case, but for the last measure, which is the least important one; the others are for those
    that could be the fastest peer, within twice of what it took so far."""
    for round_number in range(most_rounds):
        for what, batch in measures:
            if time.monotonic() > deadline and (round_number or (what, batch) == measures[-1]):
                return
            for worker in workers:
                if not worker.alive() or (what, batch) in worker.failure:
                    continue
                known = worker.seconds.get((what, batch))
                if known and worker is not workers[0] and min(known) > 2 * best(workers[1:], (what, batch)):
                    continue
                say(f"round {round_number + 1}: {worker.name}, {what} {batch}")
                if not known:
                    worker.turn(what, batch, 1, limit)
                    known = worker.seconds.get((what, batch))
                    ours = workers[0].seconds.get((what, batch))
                    if not known or min(known) > aim / 2 or (ours and min(known) > 4 * min(ours)):
                        continue  # a single step says enough of a long one; of a short one more follow at once
                worker.turn(what, batch, max(1, min(8, int(aim / min(known)))), limit)
