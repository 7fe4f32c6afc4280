# SPDX-License-Identifier: MIT
"""Where the peers are: virtual environments made by tools/bench --setup, and Debian's PyTorch."""
import os
import subprocess
import sys

from machine import threads

# torchaudio's releases stopped following PyTorch's numbers; this one runs with it.
PACKAGES = {
    "torch": ["torch==2.15.0", "torchaudio==2.11.0", "librosa==0.11.0", "soundfile==0.14.0", "onnx==1.23.2", "onnxruntime==1.32.0"],
    "keras": ["tensorflow-cpu==2.21.0", "keras==3.15.1"],
}
SYSTEM_PYTHON = "/usr/bin/python3"


def default_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "audiomood-peers")


def environment(folder):
    n = str(threads())
    return {"OMP_NUM_THREADS": n, "MKL_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n, "PYTHONDONTWRITEBYTECODE": "1",
            "TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "inductor"),
            "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def python_of(folder, environment):
    return os.path.join(folder, environment, "bin", "python")


def has(python, module):
    return os.path.exists(python) and subprocess.run([python, "-c", "import " + module], stdout=subprocess.DEVNULL,
                                                     stderr=subprocess.DEVNULL).returncode == 0


def setup(folder):
    """Makes both environments; a package that cannot be had is named and left out."""
    missing = []
    for environment, packages in PACKAGES.items():
        home = os.path.join(folder, environment)
        pip = os.path.join(home, "bin", "pip")
        if not os.path.exists(pip):  # not the interpreter: it is there first when this is interrupted
            subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        for package in packages:
            print("bench: installing " + package, flush=True)
            # torchaudio asks for the PyTorch of its own number
            more = ["--no-deps"] if package.startswith("torchaudio") else []
            if subprocess.run([pip, "install", "-q", *more, package]).returncode:
                missing.append(package)
    for package in missing:
        print("bench: not to be had here: " + package + "; its rows will be left out", flush=True)
    print("bench: peers are in " + folder + "; single layers are compared with Debian's libdnnl-dev, libxsmm-dev and libblis-dev where "
          "they are installed before the build is set up")
    return 0


def find(folder, wanted=None):
    """[(name, python, script, mode)] of every peer that can be imported; the script is one of *_steps.py.  `wanted`: parts of the
    names of those to be measured against."""
    torch, keras = python_of(folder, "torch"), python_of(folder, "keras")
    found = []
    if has(torch, "torch"):
        found += [("PyTorch, contiguous", torch, "torch_steps.py", "contiguous"),
                  ("PyTorch, channels_last", torch, "torch_steps.py", "channels_last"),
                  ("PyTorch, torch.compile", torch, "torch_steps.py", "compile")]
    if has(SYSTEM_PYTHON, "torch"):
        found += [("PyTorch of Debian, contiguous", SYSTEM_PYTHON, "torch_steps.py", "contiguous"),
                  ("PyTorch of Debian, channels_last", SYSTEM_PYTHON, "torch_steps.py", "channels_last")]
    if has(keras, "keras"):
        # not jit (XLA): never the fastest peer of a row, and slow to start (docs/benchmarks.md)
        found.append(("Keras, graph", keras, "keras_steps.py", "graph"))
    if has(torch, "onnxruntime, onnx"):
        found.append(("ONNX Runtime", torch, "onnx_steps.py", "any"))
    return [f for f in found if not wanted or any(word.lower() in f[0].lower() for word in wanted)]
