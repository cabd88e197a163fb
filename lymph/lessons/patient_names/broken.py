"""BROKEN ON PURPOSE: every group is a single picture."""

from pathlib import Path

from sklearn.model_selection import GroupKFold

# Ten patients, twelve pictures each.
files = [Path(f"sj-99-{6120 + n // 12}-R4_{n % 12:03}.tif") for n in range(120)]

# ---- what the lesson shows ----
# sj-99-6124-R4_016.tif -> sj-99-6124-R4_016
patients = [f.stem for f in files]
folds = GroupKFold(5).split(files, groups=patients)
