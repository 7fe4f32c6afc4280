# SPDX-License-Identifier: MIT
"""One prediction in a new process, asked for by tools/bench: first_torch.py LIBRARY SPEC KIND FRAMES BINS CLASSES WEIGHTS SOUND
The PyTorch program that does what `audiomood predict` does: features, model, weights, probabilities.
With --save in the place of SOUND it writes WEIGHTS instead."""
import json
import resource
import sys

import torch

import front
import nets

library, spec, kind, frames, bins, classes, weights, sound = sys.argv[1:9]
frames, bins, classes = int(frames), int(bins), int(classes)
if sound == "--save":
    torch.save(nets.make(kind, frames, bins, classes).state_dict(), weights)
    sys.exit()
spec = json.loads(spec)
with torch.inference_mode():
    with torch.device("meta"):  # no time for initial values that are replaced at once
        net = nets.make(kind, frames, bins, classes)
    net.load_state_dict(torch.load(weights, mmap=True, weights_only=True), assign=True)
    net.eval()
    x = torch.as_tensor(getattr(front, library)(spec)(sound))[:, :frames]
    if "samples" in spec:
        x = torch.nn.functional.pad(x, (0, frames - x.shape[1]))
    x = x.T[None] if kind == "bilstm" else x[None, None]
    probabilities = torch.softmax(net(x.float()), 1)[0].tolist()
print(json.dumps({"probabilities": probabilities, "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
