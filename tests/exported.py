"""An exported model, asked as somebody asks it who has neither lymph nor timm."""

import json
import subprocess
import sys
from pathlib import Path

# Its script runs once for each picture, all in one process, since loading PyTorch takes seconds.
ASK = """import json, runpy, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
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
