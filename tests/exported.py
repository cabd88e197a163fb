"""A model asked by lymph, and its export as somebody asks it who has neither lymph nor timm."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from lymph.inference import classify_files, load_classifier
from lymph.runs import Run

# Its script runs once for each picture, all in one process and with the model read once, since
# loading PyTorch takes seconds, and so does reading a model.
ASK = """import functools, json, runpy, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from types import SimpleNamespace
import torch.export
read = torch.export.load
@functools.cache
def load(file):
    model = read(file).module()
    return SimpleNamespace(module=lambda: model)
torch.export.load = load
sys.modules["lymph"] = sys.modules["timm"] = None
told = []
for picture in sys.argv[1:]:
    sys.argv = ["classify_picture.py", picture]
    with redirect_stdout(StringIO()) as answer, redirect_stderr(StringIO()) as notes:
        runpy.run_path(sys.argv[0], run_name="__main__")
    told.append((answer.getvalue(), notes.getvalue()))
print(json.dumps(told))
"""


def ask_exported(folder: Path, *pictures: Path) -> tuple[list[dict[str, float]], list[str]]:
    """Return what the model in a folder answers to each picture, and its notes beside them."""
    command = [sys.executable, "-c", ASK, *map(str, pictures)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return [json.loads(answer) for answer, _ in told], [notes for _, notes in told]


def ask(run: Run, *pictures: Path) -> list[dict]:
    """Return what a run answers to each picture."""
    return list(classify_files(load_classifier(run), [(one.name, one) for one in pictures]))


def save(pixels: np.ndarray, file: Path) -> Path:
    """Write a picture and return its file."""
    Image.fromarray(pixels).save(file)
    return file


def odd_pictures(folder: Path) -> list[Path]:
    """Write a wide picture, one half of which is bare, and a bare one."""
    noise = np.random.default_rng(0).integers(0, 200, (90, 400, 3), np.uint8)
    half = noise.copy()
    half[:, 200:] = 252
    bare = np.full((300, 900, 3), 255, np.uint8)
    named = {"wide": noise, "half": half, "bare": bare}
    return [save(pixels, folder / f"{name}.png") for name, pixels in named.items()]
