"""A data set and a run whose every name is markup: what a stranger can bring in one zip.

Each piece of markup holds a word that begins with ``Zq``: where it is rendered, an element holds
that word alone; where it is a link, an address leads to 127.0.0.2.
"""

import csv
from pathlib import Path

from lymph.data import sources
from lymph.data.source import PictureSource, keep_source, source_of
from lymph.data.sources import DataSet
from lymph.runs import About, Run, create_run, train_here, write_about
from lymph.splits import save_split, split_by_patient
from lymph.training.config import TrainConfig
from tests.layouts import paint

# Addresses of an image and a link with their colons and slashes as entities, as letters and bare.
IMAGE = "![Zqimage](http&colon;&sol;&sol;127.0.0.2&sol;a.png)"
MARKUP = (
    "**Zqbold** :red[Zqred] `Zqcode` $Zq^2$ [Zqlink](http://127.0.0.2/b) <b>Zqhtml</b>"
    " <img src=http://127.0.0.2/c> http://127.0.0.2/d www.127.0.0.2.nip.io Zq@127.0.0.2.nip.io"
    " :material/home: a -> b &#60;i&#62;Zqentity&#60;/i&#62; %{x} \u202eturned"
)
CLASSES = (
    f"{IMAGE} one",
    f":red[Zqred] $Zq^2$ {IMAGE}",
    f"<b>Zqhtml</b> http://127.0.0.2/e {'x' * 90}",
)
PATIENTS = 3
LONG = f"{MARKUP} {'long' * 1250}"
NAME = "**Zqbold** <b>Zqhtml</b> $Zq^2$ :red[Zqred] &#60;i&#62;Zqentity&#60;/i&#62;"


def hostile_set(root: Path) -> DataSet:
    """Build and register a flat folder whose table names classes and patients in markup."""
    rows = [("picture", "label", "patient")]
    for place, label in enumerate(CLASSES):
        for patient in range(PATIENTS):
            for number in range(2):
                file = (
                    f"**Zqbold** &lt;b&gt;Zqhtml&lt;b&gt; <b>Zqfile<b> :red[Zqred] {len(rows)}.png"
                )
                paint(root / file, place, patient, number)
                rows.append((file, label, f"{MARKUP} {place} {patient}"))
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows(rows)
    data_set = sources.add_folder(root, NAME)
    if not any(source_of(data_set.path).look().patients):
        file = str(root / "labels.csv")
        told = {"labels_file": file, "patients_file": file}
        keep_source(PictureSource(str(root), labels="table", patients="table", **told))
    return data_set


def hostile_run(data_set: DataSet) -> Run:
    """Return a finished run of one epoch whose name, note and saved split are markup."""
    source = source_of(data_set.path)
    split = split_by_patient(source.usable())
    save_split(data_set.path, NAME[:60], split)
    run = create_run(TrainConfig(source, epochs=1), split)
    assert train_here(run).state == "finished"
    write_about(run, About(NAME, LONG[:4000]))
    return run
