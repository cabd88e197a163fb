"""Folders as other people have them, drawn small: what a stranger's data set looks like on disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

PATIENTS, PICTURES = 4, 3
CLASSES = ("benign", "tumour")


@dataclass(frozen=True)
class Shape:
    """One way to arrange pictures: how it is built, how it is opened, and what is right of it."""

    name: str
    build: Callable[[Path], None]
    options: tuple[str, ...] = ()
    layout: str = "class-folders"
    patients_from: str = "name"
    classes: tuple[str, ...] = CLASSES
    patients: int = 2 * PATIENTS
    pictures: int = 2 * PATIENTS * PICTURES
    sets: dict[str, int] = field(default_factory=dict)
    not_read: dict[str, int] = field(default_factory=dict)
    doubt: str = ""


def paint(file: Path, label: int, patient: int, number: int) -> None:
    """Draw stripes whose direction is the class and whose grey is the patient's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([label, patient, number])
    rows, columns = np.mgrid[:40, :48]
    stripes = (rows if label % 2 else columns) + 2 * (label // 2) + rng.integers(8)
    grey = 60.0 * ((stripes // 4) % 2) + 70.0 + 9.0 * patient
    noisy = grey[..., None] + rng.normal(0, 5, (40, 48, 3))
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file)


def each(classes: tuple[str, ...] = CLASSES) -> Iterator[tuple[int, str, int, int]]:
    """Yield class number, class, patient (counted over all classes) and picture number."""
    for place, label in enumerate(classes):
        for patient in range(PATIENTS):
            for number in range(1, PICTURES + 1):
                yield place, label, place * PATIENTS + patient + 1, number


def by(path: str) -> Callable[[Path], None]:
    """Return a builder that names each picture by a format of class, patient and number."""

    def build(root: Path) -> None:
        for place, label, patient, number in each():
            values = {"label": label, "place": place, "patient": patient, "number": number}
            values["within"] = (patient - 1) % PATIENTS + 1
            paint(root / path.format(**values), place, patient, number)

    return build


def with_sets(path: str, names: tuple[str, ...]) -> Callable[[Path], None]:
    """Return a builder whose patients take turns in the sets; ``{set}`` stands in the path."""

    def build(root: Path) -> None:
        for place, label, patient, number in each():
            name = names[(patient - 1) % len(names)]
            values = {"label": label, "patient": patient, "number": number, "set": name}
            paint(root / path.format(**values), place, patient, number)

    return build


def wrapped(root: Path) -> None:
    """A repository in a zip: documentation and icons beside the pictures."""
    by("repo/data/{label}/case-{patient:02}_{number}.png")(root)
    paint(root / "repo/docs/figure.png", 0, 1, 1)
    paint(root / "icons/logo.png", 0, 1, 1)
    (root / "repo/readme.md").write_text("# A set")


def flat_with_table(table: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    """Return a builder of one flat folder and a table ``labels.csv`` beside it."""

    def build(root: Path) -> None:
        lines = []
        for place, label, patient, number in each():
            file = f"img{place}{patient:02}{number}.png"
            paint(root / file, place, patient, number)
            home = ("train", "train", "val", "test")[(patient - 1) % PATIENTS]
            lines.append((file, label, f"P{patient:02}", home))
        text = {
            "excel": "Image;Diagnosis;Patient ID\r\n"
            + "".join(f"{f.upper()};{c};{p}\r\n" for f, c, p, _ in lines),
            "isic": "image_id,dx,lesion_id,split\n"
            + "".join(f"{Path(f).stem},{c},{p},{s}\n" for f, c, p, s in lines),
        }[table]
        (root / "labels.csv").write_bytes(text.encode(encoding))

    return build


def with_rubbish(root: Path) -> None:
    """Class folders with everything else that lies about."""
    by("{label}/p{patient}_{number}.png")(root)
    (root / "benign/film.gif").write_bytes(b"GIF89a")
    (root / "benign/slide.svs").write_bytes(b"II*\0")
    (root / "tumour/Thumbs.db").write_bytes(b"x")
    paint(root / "overview.png", 0, 1, 1)
    (root / "necrosis").mkdir()


def linked(root: Path) -> None:
    """Class folders that are links to where the pictures are."""
    outside = root.parent / f"{root.name}-elsewhere"
    by("{label}/p{patient}_{number}.png")(outside)
    root.mkdir()
    for label in CLASSES:
        (root / label).symlink_to(outside / label, target_is_directory=True)
    (outside / "benign" / "loop").symlink_to(root, target_is_directory=True)


def rare_suffixes(root: Path) -> None:
    """Pictures as a scanner's program names them: JPEG as .jfif and .jpe, BMP as .dib."""
    for place, label, patient, number in each():
        file = root / label / f"p{patient}_{number}"
        paint(file.with_suffix(".bmp" if number == 1 else ".jpg"), place, patient, number)
        drawn = next(file.parent.glob(f"{file.name}.*"))
        drawn.rename(file.with_suffix(("", ".dib", ".jfif", ".jpe")[number]))


SHAPES = (
    Shape("class", by("{label}/p{patient}_{number}.png")),
    Shape("class-patient", by("{label}/patient {patient}/{number:03}.png"), patients_from="folder"),
    Shape(
        "patient-class",
        by("{patient:03}/{label}/{number}.png"),
        layout="patient-folders",
        patients_from="folder",
    ),
    Shape(
        "train-val-test",
        with_sets(
            "{set}/{label}/p{patient}_{number}.png", ("Training", "train", "valid", "testing")
        ),
        layout="set-folders",
        sets={"train": 12, "val": 6, "test": 6},
    ),
    Shape(
        "folds",
        with_sets("fold_{set}/{label}/p{patient}_{number}.png", ("1", "2", "3", "4")),
        layout="set-folders",
        sets={f"fold {i}": 6 for i in range(1, 5)},
    ),
    Shape(
        "wrapper",
        wrapped,
        not_read={"icons/": 1, "repo/docs/": 1, ".md": 1},
    ),
    Shape("table-excel", flat_with_table("excel", "utf-16"), layout="table", patients_from="table"),
    Shape(
        "table-isic",
        flat_with_table("isic"),
        layout="table",
        patients_from="table",
        sets={"train": 12, "val": 6, "test": 6},
    ),
    Shape(
        "idc-names",
        by("{patient}_idx5_x{number}51_y1251_class{place}.png"),
        layout="names",
        classes=("0", "1"),
    ),
    Shape("tcga", by("{label}/TCGA-AA-{patient:04}-01A-01-TS{number}.png")),
    Shape("breakhis", by("{label}/SOB_B_A-14-{patient}549AB-40-{number:03}.png")),
    Shape(
        "unknown",
        by("{label}/{number}{patient}x{within}.png"),
        options=("--patients", "none"),
        patients_from="none",
        patients=24,
        doubt="patients are unknown",
    ),
    Shape(
        "restarting-numbers",
        by("{label}/{within}/{number}.png"),
        patients_from="folder",
        patients=4,
        doubt="within the class",
    ),
    Shape(
        "rubbish",
        with_rubbish,
        not_read={".gif": 1, ".svs": 1, ".db": 1, "loose pictures": 1, "necrosis/": 0},
        doubt="necrosis holds no picture",
    ),
    Shape("links", linked),
    Shape("jfif", rare_suffixes),
)
