"""Answers for new pictures: the same as in training, one by one, and nothing breaks."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lymph.data.source import PictureSource
from lymph.data.walk import walk
from lymph.errors import RunError
from lymph.evaluation import apply_temperature, confidence_of
from lymph.inference import (
    answer_files,
    classify_files,
    how_sure,
    load_classifier,
    patient_answers,
)
from lymph.inference.answers import refused
from lymph.predictions import write_predictions
from lymph.runs import Run, create_run, train_here
from lymph.splits import make_folds, split_by_patient
from lymph.synthetic.examples import synthetic_examples
from lymph.training.config import TrainConfig


def test_a_picture_gets_the_answer_that_the_run_predicted(run: Run, tiny_root: Path) -> None:
    """Training, prediction and classification share one way from file to input."""
    classifier = load_classifier(run)
    predictions = apply_temperature(run.predictions(), classifier.temperature)
    named = [(name, tiny_root / name) for name in predictions["picture"]]
    answers = list(classify_files(classifier, named))
    for answer, (_, row) in zip(answers, predictions.iterrows(), strict=True):
        assert answer["picture"] == row["picture"]
        assert answer["predicted"] == row["predicted"]
        for name, value in answer["probabilities"].items():
            assert value == pytest.approx(row[f"p_{name}"], abs=0.02)


def test_a_broken_file_says_so_beside_the_good_ones(run: Run, tiny_root: Path) -> None:
    """Good, broken, good: three answers, in order."""
    good = (tiny_root / "CLL" / "sj-99-11_001.png").read_bytes()
    named = [("a", good), ("../../evil.png", b"not a picture"), ("c", io.BytesIO(good))]
    first, broken, last = classify_files(load_classifier(run), named)
    assert first["predicted"] == last["predicted"] != ""
    assert broken["problem"]
    assert broken["probabilities"] == {}
    assert broken["picture"] == "../../evil.png"


def test_a_strange_picture_is_marked(run: Run, tiny_root: Path) -> None:
    """Noise in strong colours is nothing that the run has seen."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    own = tiny_root / "CLL" / "sj-99-11_001.png"
    strange, familiar = classify_files(load_classifier(run), [("n", file), ("o", own)])
    assert not strange["familiar"]
    assert familiar["familiar"]


def test_nothing_to_classify_gives_nothing(run: Run) -> None:
    """An empty list is no error."""
    classifier = load_classifier(run)
    assert classifier.classify([]).shape == (0, 3)
    assert list(classify_files(classifier, [])) == []


def test_a_run_that_has_not_finished_cannot_answer(tiny_root: Path) -> None:
    """The message says to wait or resume."""
    config = TrainConfig(str(tiny_root), epochs=2)
    made = create_run(config, split_by_patient(PictureSource(tiny_root).usable()))
    with pytest.raises(RunError, match="finish"):
        load_classifier(made)


def test_a_strangers_checkpoint_executes_nothing(run: Run, tmp_path: Path) -> None:
    """A run folder from elsewhere may hold a pickle that wants to run."""
    import torch

    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "pwned",)

    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")))
    torch.save({"model": Evil()}, copy.path / "best.pt")
    with pytest.raises(RunError, match="damaged"):
        load_classifier(copy)
    assert not (tmp_path / "pwned").exists()


def test_what_the_run_has_seen_is_told(run: Run, tiny_root: Path) -> None:
    """The same pixels under another name and format; another picture of a training patient."""
    predictions = run.predictions()
    trained = predictions[predictions["set"] == "train"]["picture"].iloc[0]
    tested = predictions[predictions["set"] == "test"]["picture"].iloc[0]
    renamed = io.BytesIO()
    Image.open(tiny_root / trained).save(renamed, "BMP")
    name = Path(trained).name.replace("_001", "_777")
    other = tiny_root / tested
    same, patient, new = classify_files(
        load_classifier(run), [("new.bmp", renamed), (name, other), (tested, other)]
    )
    assert "learned from this very picture" in same["seen"] and trained in same["seen"]
    assert "other pictures of patient" in patient["seen"]
    assert new["seen"] == ""


def test_pictures_too_small_to_show_tissue(run: Run) -> None:
    """1 x 1 and 1 x 10,000 pixels are read, and told to be too small."""
    classifier = load_classifier(run)
    for size in ((1, 1), (1, 10_000), (10_000, 1)):
        file = io.BytesIO()
        Image.new("RGB", size, "pink").save(file, "PNG")
        (answer,) = classify_files(classifier, [("x.png", file)])
        assert f"only {size[0]} x {size[1]} pixels" in answer["problem"]


def test_a_wrong_extension_is_told(run: Run, tiny_root: Path) -> None:
    """A PNG named .tif is answered, with a note."""
    picture = tiny_root / "CLL" / "sj-99-11_001.png"
    wrong, right = classify_files(load_classifier(run), [("a.tif", picture), ("a.PNG", picture)])
    assert wrong["notes"] == ["It is named .tif but is a PNG."]
    assert right["notes"] == []


def test_two_classifiers_share_one_reading(run: Run, tiny_root: Path) -> None:
    """Both answer every file; what is kept of the pixels comes along."""
    classifier = load_classifier(run)
    named = [("a", tiny_root / "CLL" / "sj-99-11_001.png"), ("b", b"nothing")]
    good, bad = answer_files([classifier, classifier], named, keep=lambda pixels: pixels.shape)
    assert good.kept == (48, 64, 3) and len(good.answers) == 2
    assert good.answers[0] == good.answers[1]
    assert bad.kept is None and all(answer["problem"] for answer in bad.answers)


def test_batches_answer_as_one_by_one(run: Run, tiny_root: Path) -> None:
    """In company or alone a picture gets the same answer, broken files among them included."""
    named = [(p.name, p) for p in sorted(tiny_root.rglob("*.png"))[:20]]
    named.insert(3, ("bad", b"nothing"))
    classifier = load_classifier(run)
    alone = [next(answer_files([classifier], [one])).answers[0] for one in named]
    together = [one.answers[0] for one in answer_files([classifier], named)]
    assert [a["picture"] for a in together] == [a["picture"] for a in alone]
    for a, b in zip(alone, together, strict=True):
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=1e-4)


def test_the_first_answer_waits_for_no_other(run: Run, tiny_root: Path) -> None:
    """One picture goes through the model alone, then two, four and at most eight at a time."""
    classifier, sizes = load_classifier(run), []
    backbone = classifier.model.backbone
    hook = backbone.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    named = [(p.name, p) for p in sorted(tiny_root.rglob("*.png"))[:20]]
    assert len(list(answer_files([classifier], named))) == 20
    hook.remove()
    assert sizes == [1, 2, 4, 8, 5]


def test_sources_are_opened_one_after_another(run: Run, tiny_root: Path) -> None:
    """However many files there are, only a few for each thread are ahead of the answers."""
    content = (tiny_root / "CLL" / "sj-99-11_001.png").read_bytes()
    opened = []

    def source() -> bytes:
        opened.append(1)
        return content

    answers = classify_files(load_classifier(run), [(str(i), source) for i in range(200)])
    next(answers)
    answers.close()
    assert len(opened) < 20 + 4 * max(2, os.cpu_count() or 1)


def test_a_cross_validation_has_no_one_model(tiny_root: Path) -> None:
    """It says so, and what to choose."""
    table = PictureSource(tiny_root).usable()
    made = create_run(TrainConfig(str(tiny_root), epochs=1), make_folds(table, 2, "patient", 0))
    with pytest.raises(RunError, match="one split"):
        load_classifier(made)


def test_the_temperature_softens_and_never_sharpens(run: Run) -> None:
    """It comes from the validation pictures; the answer stays the same class."""
    predictions = run.predictions()
    columns = [f"p_{name}" for name in run.classes]
    sure = predictions.copy()
    sure[columns] = 0.005
    for row, name in enumerate(sure["predicted"]):
        sure.loc[row, f"p_{name}"] = 0.99
    for right in (0, 1):  # 0: what is said with 99 % is as often wrong as right
        table = sure.assign(label=sure["predicted"])
        if not right:
            table.loc[::2, "label"] = [
                next(c for c in run.classes if c != name) for name in table["predicted"][::2]
            ]
        write_predictions(table, run.path / "predictions.csv")
        temperature = confidence_of(run.predictions()).temperature
        assert (temperature == 1) if right else (temperature > 1.5)


def test_several_pictures_of_one_patient() -> None:
    """The mean of the probabilities; one picture alone is no patient's answer."""
    rows = [("p", [0.9, 0.1]), ("p", [0.2, 0.8]), ("q", [0.5, 0.5]), ("", [0.1, 0.9])]
    answers = [
        {**refused("x", ""), "patient": who, "probabilities": dict(zip("AB", values, strict=True))}
        for who, values in rows
    ]
    (one,) = patient_answers(answers, ["A", "B"])
    assert (one["patient"], one["pictures"], one["predicted"]) == ("p", 2, "A")
    assert one["probabilities"] == pytest.approx({"A": 0.55, "B": 0.45})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.97, 0.02, 0.01), "very sure"),
        ((0.85, 0.1, 0.05), "fairly sure"),
        ((0.65, 0.3, 0.05), "not quite sure"),
        ((0.5, 0.3, 0.2), "unsure"),
        ((0.45, 0.4, 0.15), "undecided between CLL and FL"),
    ],
)
def test_how_sure_in_words(values: tuple[float, ...], words: str) -> None:
    """The words follow the probabilities."""
    assert how_sure(dict(zip(("CLL", "FL", "MCL"), values, strict=True))) == words


def test_examples_are_synthetic_and_of_every_class() -> None:
    """Three pictures, named so, the same each time."""
    drawn = synthetic_examples()
    assert [name.split()[0] for _, name, _ in drawn] == ["synthetic"] * 3
    assert [label for label, *_ in drawn] == ["CLL", "FL", "MCL"]
    assert drawn == synthetic_examples()
    assert all(Image.open(io.BytesIO(content)).size == (417, 312) for *_, content in drawn)


def train_on(source: PictureSource) -> Run:
    """Train one epoch on pictures whose patients are told in a way of their own."""
    config = TrainConfig(source, epochs=1)
    made = create_run(config, split_by_patient(source.usable()))
    train_here(made)
    return made


@pytest.fixture
def deep_run(tiny_root: Path) -> Run:
    """Return a finished run on the tiny set in 12 bits, as a microscope's camera writes them."""
    for name in walk(tiny_root).pictures:
        values = -(-np.asarray(Image.open(tiny_root / name)).astype(np.int64) * 4_095 // 255)
        file = (tiny_root / name).with_suffix(".tif")
        tifffile.imwrite(file, values.astype(np.uint16), photometric="rgb")
        (tiny_root / name).unlink()
    (values := np.zeros((48, 64, 3), np.uint16))[0, 0] = 4_095
    tifffile.imwrite(tiny_root / "CLL" / "sj-99-11_900.tif", values, photometric="rgb")
    made = create_run(
        TrainConfig(str(tiny_root), epochs=2), split_by_patient(PictureSource(tiny_root).usable())
    )
    train_here(made)
    return made


def deep_file(values: np.ndarray) -> bytes:
    """Return a 16-bit RGB TIFF."""
    file = io.BytesIO()
    tifffile.imwrite(file, values.astype(np.uint16), photometric="rgb")
    return file.getvalue()


def test_a_deep_picture_is_scaled_as_the_training_images_were(
    deep_run: Run, tiny_root: Path
) -> None:
    """A dark one too, alone; the run keeps what is white, whatever becomes of its set's folder."""
    classifier = load_classifier(deep_run)
    assert classifier.white == 4_095
    rows = deep_run.predictions()
    own = [(tiny_root / name).read_bytes() for name in rows["picture"]]
    shutil.rmtree(tiny_root)
    expected = apply_temperature(rows, classifier.temperature)
    answers = classify_files(classifier, [(str(i), data) for i, data in enumerate(own)])
    for answer, (_, row) in zip(answers, expected.iterrows(), strict=True):
        assert any("scaled like this run's training pictures" in note for note in answer["notes"])
        for name, value in answer["probabilities"].items():
            assert value == pytest.approx(row[f"p_{name}"], abs=0.02)


def test_a_deep_picture_beyond_the_runs_white_is_judged_alone(run: Run, deep_run: Run) -> None:
    """The note says so; a run of 8-bit images, or an older one, judges each by itself."""
    ordinary, deep = load_classifier(run), load_classifier(deep_run)
    ramp = np.linspace(0, 9_000, 48 * 64 * 3).reshape(48, 64, 3)
    named = [("bright.tif", deep_file(ramp)), ("dark.tif", deep_file(ramp / 10))]
    kept = []
    answered = list(answer_files([ordinary, deep], named, keep=lambda p: kept.append(p.max())))
    notes = [[answer["notes"] for answer in one.answers] for one in answered]
    assert all(
        "this run has no record of 16-bit training pictures" in both[0][-1] for both in notes
    )
    assert "above 4,095" in notes[0][1][-1] and "16,383 is shown as white" in notes[0][1][0]
    assert (
        "scaled like this run's" in notes[1][1][-1] and "4,095 is shown as white" in notes[1][1][0]
    )
    assert "1,023 is shown as white" in notes[1][0][0]
    assert sorted(kept) == [9_000 * 255 // 16_383, 900 * 255 // 1_023]


def test_a_run_of_an_earlier_version_has_no_white(run: Run) -> None:
    """Its file of what is familiar lacks it; answers go on."""
    file = run.path / "familiarity.json"
    document = json.loads(file.read_text())
    assert document.pop("white") == 0
    file.write_text(json.dumps(document))
    assert load_classifier(run).white == 0


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".jpeg"])
def test_every_name_of_a_jpeg_is_usual(suffix: str, run: Run) -> None:
    """No note on the name; the same name of a PNG has one."""
    picture = Image.new("RGB", (64, 48), (200, 120, 160))
    notes = {}
    for form in ("JPEG", "PNG"):
        file = io.BytesIO()
        picture.save(file, form)
        (answer,) = classify_files(load_classifier(run), [(f"a{suffix}", file)])
        notes[form] = answer["notes"]
    assert notes == {"JPEG": [], "PNG": [f"It is named {suffix.lower()} but is a PNG."]}


def another_picture(root: Path) -> bytes:
    """Return a picture of the tiny set that no run has seen, but for its look."""
    pixels = np.asarray(Image.open(root / "CLL" / "sj-99-11_001.png")).copy()
    pixels[:9] = 255 - pixels[:9]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_table_of_patients_tells_whom_the_run_has_learned_from(tiny_root: Path) -> None:
    """Regression: with patients from a table Classify overlooked that a patient was in training.

    The table names pictures that came after the run began, by name only.
    """
    table = tiny_root.parent / "patients.csv"
    rows = [f"{p},P{i // 3}" for i, p in enumerate(PictureSource(tiny_root).look().pictures)]
    table.write_text("\n".join(["File;Patient", *(r.replace(",", ";") for r in rows)]))
    run = train_on(PictureSource(tiny_root, patients="table", patients_file=str(table)))
    trained = run.split().sets["train"][0]
    table.write_text(table.read_text() + f"\nlater.png;{trained}")
    content = another_picture(tiny_root)
    named = [("set.zip › CLL/later.png", content), ("stranger.png", content)]
    known, stranger = classify_files(load_classifier(run), named)
    assert known["patient"] == trained and f"other pictures of patient {trained}" in known["seen"]
    assert stranger["patient"] == "" and stranger["seen"] == ""
    table.unlink()
    (answer,) = classify_files(load_classifier(run), named[:1])
    assert answer["problem"] == "" and answer["patient"] == ""


def test_a_dropped_folder_tells_its_patient(tiny_root: Path) -> None:
    """With one folder per patient the folder that a picture was dropped in is its patient."""
    for file in [*tiny_root.rglob("*.png")]:
        folder = file.parent / f"case {file.name[6:8]}"
        folder.mkdir(exist_ok=True)
        file.rename(folder / f"{file.name[9:]}")
    source = PictureSource(tiny_root).look().source
    assert source.patients == "folder"
    run = train_on(source)
    trained = run.split().sets["train"][0]
    content = (tiny_root / "CLL" / "case 11" / "001.png").read_bytes()
    named = [(f"new/{trained}/9.png", content), ("new/case 99/9.png", content)]
    known, stranger = classify_files(load_classifier(run), named)
    assert known["patient"] == trained and known["seen"]
    assert stranger["patient"] == ""
