"""Every group is a patient."""

import re
from pathlib import Path

from sklearn.model_selection import GroupKFold

# Ten patients, twelve pictures each.
files = [Path(f"sj-99-{6120 + n // 12}-R4_{n % 12:03}.tif") for n in range(120)]

# ---- what the lesson shows ----
# sj-99-6124-R4_016.tif -> 99-6124
key = re.compile(r"sj-(\d+-\d+)")
patients = [key.match(f.stem)[1] for f in files]
assert len(set(patients)) < len(files) / 5
folds = GroupKFold(5).split(files, groups=patients)
