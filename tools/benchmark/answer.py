# SPDX-License-Identifier: MIT
"""The requests of tools/bench, for every peer: a line "train 32 5" makes five timed steps of batch 32."""
import json
import resource
import sys
import time


def serve(facts, make_step):
    """facts: what is printed when ready; make_step(what, batch) gives a function that makes one step."""
    print(json.dumps(facts), flush=True)
    steps = {}
    for line in sys.stdin:
        what, batch, count = line.split()
        try:
            if (what, batch) not in steps:
                steps[what, batch] = make_step(what, int(batch))
                steps[what, batch]()  # touches fresh memory, compiles
            seconds = []
            for _ in range(int(count)):
                began = time.perf_counter()
                steps[what, batch]()
                seconds.append(time.perf_counter() - began)
            answer = {"seconds": seconds, "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        except Exception as error:  # the row says so, the others go on
            answer = {"error": (type(error).__name__ + ": " + str(error)).strip().splitlines()[0][:200]}
        print(json.dumps(answer), flush=True)
