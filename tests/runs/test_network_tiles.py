"""The small CNN and ResNet-50 on tiles: what they learn, answer, show, and go on from."""

import io
import os
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.kills import differences
from lymph import reports, workspace
from lymph.data.source import PictureSource
from lymph.evaluation import report
from lymph.explain.gradcam import grad_cam
from lymph.explain.layers import activations
from lymph.inference import load_classifier
from lymph.runs import Run, create_run, resume_run, start_run, train_here
from lymph.splits import Split, make_folds, split_by_patient
from lymph.training import maps
from lymph.training.config import TrainConfig
from tests.exported import ask, ask_exported, odd_pictures, save
from tests.waiting import wait_for

# Model, side of a tile, what differs from a run's defaults; "file" stands for pretrained values.
WAYS = {
    "cnn": ("cnn", 32, {}),
    "notebook": ("resnet50", 64, {"schedule": "finetune_then_linear_probe", "weights": "none"}),
    "head": ("resnet50", 64, {"schedule": "linear_probe", "weights": "none"}),
    "last-block": ("resnet50", 64, {"weights": "file"}),
}


@pytest.fixture
def new_run(make_tiny: Callable[..., Path], encoder_file: Path) -> Callable[..., Run]:
    """Return a maker of runs on tiles, created and not started; one picture is bare glass."""
    root = make_tiny(pictures=1)
    Image.new("RGB", (64, 48), "white").save(root / "CLL" / "sj-99-11_009.png")

    def make(way: str = "cnn", split: Split | None = None, **changes: object) -> Run:
        model, side, settings = WAYS[way]
        asked = {"tiles": side, "epochs": 2, "batch_size": 8, **settings, **changes}
        if asked.get("weights") == "file":
            asked["weights"] = str(encoder_file)
        config = TrainConfig(str(root), model, **asked)
        return create_run(config, split or split_by_patient(PictureSource(root).usable()))

    return make


def finish(run: Run) -> Run:
    assert train_here(run).state == "finished", run.log()
    return run


def said(run: Run, picture: str) -> np.ndarray:
    """Return the probabilities of a picture in the table of predictions."""
    row = run.predictions().set_index("picture").loc[picture]
    return row[[f"p_{name}" for name in run.classes]].to_numpy(float)


def softened(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum()


@pytest.mark.parametrize("way", WAYS)
def test_what_training_predicted_is_the_mean_of_the_tiles_that_an_answer_maps(
    new_run: Callable[..., Run], way: str
) -> None:
    """Predictions, an answer, the map's mean, features, Grad-CAM and the inside belong together."""
    run = finish(new_run(way))
    side, root = run.config.tiles, Path(run.config.data)
    assert f"tiles of {side} x {side} pixels" in " ".join(run.status().notes)
    assert run.config.spec.title.endswith(f"tiles of {side} px")
    name = str(run.predictions()["picture"].iloc[0])
    classifier, pixels = load_classifier(run), np.asarray(Image.open(root / name))
    view = classifier.view_tiles(pixels)
    assert (view.tiles, view.blank) == ((12, 0) if side == 32 else (4, 0))  # seen at 96 x 128
    tolerance = 2e-2 if classifier.bfloat16 else 1e-5
    np.testing.assert_allclose(view.mean, said(run, name), atol=tolerance)
    answers = ask(run, root / name, root / "CLL" / "sj-99-11_009.png")
    (answer, bare), wanted = answers, softened(said(run, name), classifier.temperature)
    told = [answer["probabilities"][label] for label in run.classes]
    np.testing.assert_allclose(told, wanted, atol=tolerance)
    assert "this very picture" in answer["seen"] and not answer["notes"]
    assert any("tiles shows tissue" in note for note in bare["notes"])
    assert "this very picture" in bare["seen"] or bare["seen"] == answer["seen"]
    table, features = classifier.embedding.table, classifier.embedding.features
    own, _ = classifier.answer_small([classifier.pack(classifier.view(pixels))])
    row = features[np.flatnonzero(table["picture"] == name)[0]]
    np.testing.assert_allclose(own[0], row, rtol=2e-2, atol=2e-2)
    heat = grad_cam(classifier.model, classifier.spec, pixels, 0, classifier.largest)
    assert heat.shape == (12, 16) and np.isfinite(heat).all()
    assert activations(classifier.model, classifier.spec, pixels)


def test_report_and_card_tell_the_tiles(new_run: Callable[..., Run]) -> None:
    """Size, scale and how a picture is learned from stand in what is passed on."""
    run = finish(new_run())
    card = reports.card_markdown(run, report(run.predictions(), "test"))
    assert "in tiles of 32 x 32 pixels" in card and "enlarged 2 times" in card
    assert "the mean over its tiles" in card and "drawn at random" in card
    assert "grey, with fixed means" in card
    assert "tiles of 32" in reports.report_html(run)


def draw_texture(label: str, rng: np.random.Generator) -> np.ndarray:
    """Draw 384 x 384 pixels: stripes of three pixels, along for A, across for B, under noise."""
    along, across = np.mgrid[:384, :384] + rng.integers(3)
    stripes = 90.0 * (({"A": along, "B": across}[label] % 3) == 0) + 60.0
    noisy = stripes + rng.normal(0, 10, (384, 384)) + rng.uniform(0, 20)
    return np.clip(np.repeat(noisy[..., None], 3, 2), 0, 255).astype(np.uint8)


def test_texture_that_is_lost_in_a_small_picture_is_learned_from_tiles(tmp_path: Path) -> None:
    """Squeezed to 128 pixels the stripes are an even grey, in which nothing can be learned."""
    rng, root = np.random.default_rng(0), tmp_path / "texture"
    for first, label in ((10, "A"), (20, "B")):
        (root / label).mkdir(parents=True)
        for patient in range(first, first + 6):
            for number in (1, 2):
                file = root / label / f"sj-99-{patient}_{number:03}.png"
                save(draw_texture(label, rng), file)
    folds = make_folds(PictureSource(root).usable(), 2)
    right = {}
    for side in (None, 128):
        asked = {"tiles": side, "epochs": 12, "augmentation": ["flips"], "batch_size": 4}
        run = finish(create_run(TrainConfig(str(root), "cnn", **asked), folds))
        table = run.predictions()
        right[side] = float((table["predicted"] == table["label"]).mean())
    assert right[128] > 0.9 and right[None] < 0.75, right


def test_killed_and_resumed_it_is_the_same_to_the_bit(new_run: Callable[..., Run]) -> None:
    """Regression guard: the tiles drawn depend on seed and epoch alone, not on what came before."""
    whole, killed = finish(new_run(epochs=40)), new_run(epochs=40)
    start_run(killed)
    wait_for(lambda: killed.status().epoch >= 2)
    os.kill(killed.status().pid, signal.SIGKILL)
    wait_for(lambda: killed.status().state == "lost")
    resume_run(killed, here=True)
    assert killed.status().state == "finished", killed.log()
    assert list(differences(whole.path, killed.path)) == []


@pytest.mark.parametrize("way", ["notebook", "last-block"])
def test_stopped_between_phases_it_is_the_same_to_the_bit(
    new_run: Callable[..., Run], stop_after: Callable[[Run, int], None], way: str
) -> None:
    """Once in each phase of ResNet-50's schedules."""
    whole, parts = finish(new_run(way, epochs=4)), new_run(way, epochs=4)
    for stopped in (1, 3):
        stop_after(parts, stopped)
        resume_run(parts, here=True) if stopped > 1 else train_here(parts)
        assert parts.status().state == "stopped"
    resume_run(parts, here=True)
    assert parts.status().state == "finished", parts.log()
    assert list(differences(whole.path, parts.path)) == []


def test_tiles_too_many_to_be_kept_are_learned_from_the_same(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the frozen part makes its maps anew, of the same tile in each epoch."""
    kept = finish(new_run("last-block", epochs=4))
    monkeypatch.setattr(maps, "MOST_BYTES", 0)
    for file in workspace.cache_home().rglob("*.npy"):
        file.unlink() if file.name.startswith(("maps", "features")) else None
    anew = finish(new_run("last-block", epochs=4))
    assert not list(workspace.cache_home().rglob("maps-*.npy"))
    columns = [name for name in kept.predictions() if name.startswith("p_")]
    np.testing.assert_allclose(anew.predictions()[columns], kept.predictions()[columns], atol=2e-3)


def test_small_wide_and_damaged_pictures_are_answered(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    """One smaller than a tile is enlarged until it has one; a strip has tiles side by side."""
    run = finish(new_run(tiles=200))
    noise = np.random.default_rng(0).integers(0, 200, (40, 900, 3), np.uint8)
    small, wide = save(noise[:, :40], tmp_path / "small.png"), save(noise, tmp_path / "wide.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(small.read_bytes()[:200])
    tiny, strip, damaged = ask(run, small, wide, cut)
    for answer in (tiny, strip):
        assert answer["predicted"] and not any("tissue" in note for note in answer["notes"])
    assert damaged["problem"] and not damaged["predicted"]
    classifier = load_classifier(run)
    assert classifier.view_tiles(np.asarray(Image.open(small))).tiles == 1
    assert classifier.view_tiles(np.asarray(Image.open(wide))).tiles > 1
    bare = np.full((90, 120, 3), 255, np.uint8)
    assert classifier.view_tiles(bare).tiles == 0
    assert np.isfinite(grad_cam(classifier.model, classifier.spec, bare, 0)).all()


def test_patients_from_a_table_and_one_per_class(new_run: Callable[..., Run]) -> None:
    """Names tell no patient, and of each class there are one or two."""
    root = Path(new_run().config.data)
    listed = PictureSource(root).usable()
    chosen = listed.groupby("label")["patient"].transform(lambda own: own.rank(method="dense")) <= 2
    rows = listed[chosen]
    home = root.parent / "told"
    for number, (label, picture) in enumerate(zip(rows["label"], rows["picture"], strict=True)):
        (home / label).mkdir(parents=True, exist_ok=True)
        Image.open(root / picture).save(home / label / f"{number}.png")
    lines = [f"{n}.png,{who}" for n, who in enumerate(rows["patient"])]
    told = home.parent / "patients.csv"
    told.write_text("picture,patient\n" + "\n".join(lines) + "\n")
    source = PictureSource(str(home), patients="table", patients_file=str(told))
    table = source.usable()
    assert table["patient"].nunique() == 6
    first = table.groupby("label")["patient"].min()
    rest = sorted(set(table["patient"]) - set(first))
    alone = Split("patient", 0, sets={"train": list(first), "val": [], "test": rest})
    for split in (alone, make_folds(table, 2)):
        config = TrainConfig(source, "cnn", tiles=32, epochs=1)
        run = finish(create_run(config, split))
        tested = run.predictions()
        assert set(tested.loc[tested["set"] == "test", "patient"]) >= set(rest)


def test_runs_and_folds_share_one_file_of_tiles(new_run: Callable[..., Run]) -> None:
    """Cut once for every model of the same side and colours, whatever is trained on them."""
    run = new_run()
    table = run.config.source.usable()
    finish(new_run(split=make_folds(table, 3), epochs=1))
    (file,) = workspace.cache_home().rglob("tiles-*.npy")
    made = file.stat().st_mtime_ns
    finish(run)
    assert [one.stat().st_mtime_ns for one in workspace.cache_home().rglob("tiles-*.npy")] == [made]


@pytest.mark.parametrize("way", ["cnn", "notebook", "last-block"])
def test_an_exported_network_cuts_the_same_tiles(
    new_run: Callable[..., Run], tmp_path: Path, way: str
) -> None:
    """The same probabilities to six digits without lymph: wide, half bare, bare, small, known.

    What the last block sees is rounded to half precision, which may go either way: there to four.
    """
    run = finish(new_run(way, precision="float32"))
    known = Path(run.config.data) / run.predictions()["picture"].iloc[0]
    small = np.random.default_rng(1).integers(0, 200, (33, 70, 3), np.uint8)
    pictures = [*odd_pictures(tmp_path), save(small, tmp_path / "small.png"), known]
    told = ask(run, *pictures)
    zipfile.ZipFile(io.BytesIO(reports.export_model(run))).extractall(tmp_path / "model")
    asked, notes = ask_exported(tmp_path / "model", *pictures)
    for exported, answer in zip(asked, told, strict=True):
        tolerance = 5e-5 if way == "last-block" else 1e-6
        assert exported == pytest.approx(answer["probabilities"], abs=tolerance)
    assert all("tile" in note for note in notes)


def test_an_epoch_sees_one_tile_of_each_picture(new_run: Callable[..., Run]) -> None:
    """Another one in other epochs, the same one when an epoch is run again; all of them else."""
    from lymph.models.tiles import Tiled
    from lymph.training.dataset import Batches

    values = np.arange(12, dtype=np.uint8).repeat(4).reshape(12, 2, 2)
    pixels = Tiled(values, torch.tensor([1, 5, 6]))
    spec = new_run().config.spec
    batches = Batches(pixels, np.array([2, 0, 1]), np.arange(3), spec, 2, training=True, seed=3)

    def seen(epoch: int) -> dict[int, int]:
        found = {}
        for pictures, labels in batches.of_epoch(epoch):
            shown = ((pictures[:, 0, 0, 0] * 0.5 + 0.5) * 255).round().int().tolist()
            found |= dict(zip(labels.tolist(), shown, strict=True))
        return found

    epochs = [seen(epoch) for epoch in range(60)]
    for label, tiles in enumerate((range(1), range(1, 6), range(6, 12))):
        assert {each[label] for each in epochs} == set(tiles)
    assert [seen(epoch) for epoch in range(60)] == epochs
    every = Batches(pixels, np.array([2, 0]), np.arange(3), spec, 8)
    ((pictures, labels),) = list(every)
    assert isinstance(pictures, Tiled) and labels.tolist() == [2, 0]
    assert pictures.counts.tolist() == [6, 1] and len(pictures.values) == 7
    assert len(list(Batches(pixels, np.array([2, 0]), np.arange(3), spec, 2))) == 2


def test_without_validation_pictures_it_trains(new_run: Callable[..., Run]) -> None:
    """Nothing to validate on: the last epoch is kept, in every schedule."""
    run = new_run()
    table = run.config.source.usable()
    people = pd.unique(table["patient"])
    sets = {"train": list(people[:-1]), "val": [], "test": [people[-1]]}
    rest = Split("patient", 0, sets={**sets})
    for way in ("cnn", "head"):
        assert len(finish(new_run(way, split=rest)).predictions()) == len(table)
