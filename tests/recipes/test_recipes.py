"""The comparison of recipes: known answers, and nothing that is done is done again."""

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lymph import recipes
from lymph.cli import main
from lymph.data.source import PictureSource
from lymph.errors import EvaluationError, RunError, SplitError
from lymph.leak.linear_features import colour_features
from lymph.recipes import Comparison, compare_here, make_config, rows_of
from lymph.recipes.comparison import OUT_OF_FOLD, Cell, ComparisonConfig
from lymph.recipes.recipe import recipes_here
from lymph.splits import make_folds
from tests.measured_recipes import paint_patients, write_comparison
from tests.waiting import PATIENCE, wait_for


def configured(root: Path, *names: str, **options: object) -> ComparisonConfig:
    """Return the configuration of a comparison on a folder."""
    return make_config(PictureSource(str(root)), names or ("colours",), **options)


def when_written(comparison: Comparison) -> dict[str, int]:
    """Return when each cell that is done was written."""
    done = [cell for cell in comparison.cells() if cell.done]
    return {cell.path.name: (cell.path / OUT_OF_FOLD).stat().st_mtime_ns for cell in done}


def test_colours_of_patients_shine_at_random_and_fail_with_patients_apart(tmp_path: Path) -> None:
    """Who recognises patients has nearly all of the random folds right, which proves nothing.

    The cell with patients apart is what scikit-learn gives over the very same folds.
    """
    root = paint_patients(tmp_path / "painted")
    comparison = compare_here(configured(root, folds=4))
    assert comparison.status().state == "finished" and comparison.status().done == 1.0
    (row,) = rows_of(comparison)
    mixed, apart = row.cells["picture"], row.cells["patient"]
    assert mixed.pictures["accuracy"] > 0.9
    assert mixed.report["leaked_test_share"] == 1.0
    assert mixed.pictures["stated"]["verdict"] == "cannot be stated"
    assert apart.pictures["accuracy"] < 0.6 and apart.beside_largest == "like"
    assert apart.report["leaked_test_share"] == 0.0

    table = PictureSource(str(root)).usable()
    features, labels = colour_features(root, table), table["label"].to_numpy(str)
    homes = make_folds(table, 4, "patient", 0).assign(table).to_numpy(str)
    said = np.empty(len(table), dtype=object)
    for home in np.unique(homes):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        said[homes == home] = model.fit(features[homes != home], labels[homes != home]).predict(
            features[homes == home]
        )
    assert apart.pictures["accuracy"] == pytest.approx(float(np.mean(said == labels)))


def test_one_that_is_interrupted_goes_on_with_the_cell_at_hand(tiny_root: Path) -> None:
    """The same command a second time measures only what was not done; a third one nothing."""

    def interrupt(cell: Cell) -> None:
        raise KeyboardInterrupt

    config = configured(tiny_root, folds=3)
    stopped = compare_here(config, interrupt)
    assert stopped.status().state == "stopped"
    written = when_written(stopped)
    assert list(written) == ["1-patient"]
    measured: list[str] = []
    whole = compare_here(config, lambda cell: measured.append(cell.by))
    assert whole == stopped and whole.status().state == "finished" and measured == ["picture"]
    assert when_written(whole)["1-patient"] == written["1-patient"]
    again = compare_here(config, lambda cell: measured.append(cell.by))
    assert again == whole and measured == ["picture"]


KILLED = """
import os, signal, sys
from lymph.data.source import PictureSource
from lymph.recipes import compare_here, make_config

config = make_config(PictureSource(sys.argv[1]), ["colours"], 3)
compare_here(config, lambda cell: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_one_that_was_killed_gives_the_same_table(tiny_root: Path, tmp_path: Path) -> None:
    """Killed after its first cell it is lost; resumed, it measures the second one alone."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tiny_root)], timeout=PATIENCE)
    assert ended.returncode == -signal.SIGKILL
    config = configured(tiny_root, folds=3)
    (killed,) = recipes.list_comparisons(config.source)
    assert killed.status().state == "lost"
    written = when_written(killed)
    assert list(written) == ["1-patient"]
    measured: list[str] = []
    whole = compare_here(config, lambda cell: measured.append(cell.by))
    assert whole == killed and whole.complete and measured == ["picture"]
    assert when_written(whole)["1-patient"] == written["1-patient"]
    resumed = [cell.predictions() for cell in whole.cells()]

    whole.path.rename(tmp_path / "aside")
    undisturbed = compare_here(config)
    for cell, before in zip(undisturbed.cells(), resumed, strict=True):
        assert cell.predictions().equals(before), cell.title


def test_a_further_recipe_takes_over_what_was_measured(tiny_root: Path) -> None:
    """Colours are not measured again because another recipe or another order is wanted."""
    first = compare_here(configured(tiny_root, folds=3))
    measured: list[str] = []
    more = configured(tiny_root, "linear-probe:nowhere", "colours", folds=3)
    second = compare_here(more, lambda cell: measured.append(cell.recipe))
    assert second.status().state == "failed" and "no encoder nowhere" in second.status().error
    third = compare_here(configured(tiny_root, "colours", folds=3, weights="none"))
    assert third != first
    for one, other in zip(first.cells(), third.cells(), strict=True):
        assert one.seconds == other.seconds and one.predictions().equals(other.predictions())


def test_other_pictures_make_another_comparison(tiny_root: Path) -> None:
    """A picture that went away meanwhile: neither resumed nor taken over, and the sentence says."""
    comparison = write_comparison(tiny_root, ("colours",), state="stopped", cells=1)
    next(tiny_root.rglob("*.png")).unlink()
    recipes.resume_comparison(comparison)
    wait_for(lambda: comparison.status().over)
    assert comparison.status().state == "failed"
    assert "Start a new one" in comparison.status().error
    assert compare_here(configured(tiny_root)) != comparison


def test_letters_say_who_is_told_apart(tiny_root: Path) -> None:
    """With patients apart the recipe that is right beats the other; at random they are alike.

    None of 36 is below 33 %, but four of twelve patients who differ cannot tell that.
    """
    wrong, right = rows_of(write_comparison(tiny_root))
    assert (wrong.letter, right.letter) == ("A", "B")
    assert right.cells["patient"].better_than == ("A",)
    assert right.cells["patient"].beside_largest == "above"
    assert right.cells["patient"].better_words == "the largest class, A"
    assert wrong.cells["patient"].worse_than == ("B",)
    assert wrong.cells["patient"].beside_largest == "like"
    assert wrong.cells["patient"].better_words == "none of them"
    assert right.cells["picture"].like == ("A",)
    words = recipes.best_words([wrong, right])
    assert "‘Small CNN’ is highest: 100 % of 36 pictures (12 patients" in words
    assert "better than always naming the largest class (33 %)" in words
    assert "would seem to reach 100 %" in words


def test_rows_come_as_their_cells_are_done(tiny_root: Path) -> None:
    """Three of four cells: the second recipe has its patients apart and no random folds yet."""
    comparison = write_comparison(tiny_root, state="stopped", cells=3)
    first, second = rows_of(comparison)
    assert list(first.cells) == ["patient", "picture"] and list(second.cells) == ["patient"]
    assert "would seem" not in recipes.best_words([second])
    lines = list(csv.DictReader(io.StringIO(recipes.as_csv(comparison, [first, second]))))
    assert [(line["recipe"], line["folds_by"]) for line in lines] == [
        ("colours", "patient"),
        ("colours", "picture"),
        ("cnn", "patient"),
    ]
    assert recipes.as_json(comparison, [first, second])["recipes"][1]["picture"] is None


def test_a_damaged_cell_costs_itself_only(tiny_root: Path) -> None:
    """Its row says what is the matter; the others stand."""
    comparison = write_comparison(tiny_root)
    (comparison.cells()[0].path / OUT_OF_FOLD).write_text("picture\n")
    with pytest.raises(EvaluationError):
        comparison.cells()[0].predictions()
    damaged, sound = rows_of(comparison)
    assert "delete the folder" in damaged.problem and list(damaged.cells) == ["picture"]
    assert len(sound.cells) == 2 and not sound.problem


def test_a_cell_that_was_deleted_is_measured_again(tiny_root: Path) -> None:
    """Of a finished comparison, as the sentence about a damaged one asks for."""
    whole = compare_here(configured(tiny_root, folds=2))
    shutil.rmtree(whole.cells()[1].path)
    measured: list[str] = []
    again = compare_here(configured(tiny_root, folds=2), lambda cell: measured.append(cell.by))
    assert again == whole and again.complete and measured == ["picture"]


def test_few_patients(make_tiny: Callable[..., Path]) -> None:
    """Two of each class can be compared; of a single one the sentence says what to do."""
    root = make_tiny("few", pictures=2)
    for file in root.rglob("*.png"):
        if file.name.split("_")[0][-1] not in "12":
            file.unlink()
    comparison = compare_here(configured(root))
    assert comparison.status().state == "finished" and comparison.config.folds == 5
    assert rows_of(comparison)[0].cells["patient"].pictures["n"] == 12
    with pytest.raises(SplitError, match="7 folds cannot be made of 6 patients"):
        configured(root, folds=7)
    for file in root.glob("FL/*-22_*.png"):
        file.unlink()
    with pytest.raises(SplitError, match="FL has no training pictures in fold"):
        configured(root)


def test_unknown_patients_are_refused(tiny_root: Path) -> None:
    """Where nobody knows the patients none can be kept apart."""
    source = PictureSource(str(tiny_root), patients="none")
    with pytest.raises(SplitError, match="nobody knows the patients"):
        make_config(source, ["colours"])


@pytest.mark.parametrize(
    "change",
    [
        {"recipes": []},
        {"recipes": ["magic"]},
        {"recipes": ["linear-probe:"]},
        {"folds": 1},
        {"folds": "5"},
        {"seed": -1},
    ],
)
def test_impossible_comparisons_are_refused(change: dict) -> None:
    """Unknown recipes and encoders without a name, too few folds, values of the wrong kind."""
    with pytest.raises(RunError):
        ComparisonConfig(**{"source": "data", "recipes": ["colours"], **change})


def test_nothing_that_takes_ten_minutes_is_chosen_by_default() -> None:
    """Quick recipes are chosen while they end in ten minutes together, fine-tuning never."""
    times = {"colours": 2.0, "linear-probe": 200.0, "cnn": 390.0, "resnet50": 5.0}
    assert recipes.default_recipes(times, 300) == ["colours", "linear-probe", "cnn"]
    assert recipes.default_recipes({**times, "cnn": 400.0}, 300) == ["colours", "linear-probe"]
    unknown = dict.fromkeys(times)
    assert recipes.default_recipes(unknown, 300) == ["colours", "linear-probe", "cnn"]
    assert recipes.default_recipes(unknown, 50_000) == []


def test_every_recipe_is_a_training_that_can_be_made(tiny_root: Path) -> None:
    """None asks for a schedule, a model or tiles that there are no more."""
    source = PictureSource(str(tiny_root))
    made = {name: recipes.training_of(name, source, "none", 3) for name in recipes.RECIPES}
    assert [name for name, config in made.items() if config is None] == ["colours"]
    assert {config.seed for config in made.values() if config} == {3}
    tiles = {name: made[name].tiles for name in made if name.endswith("-tiles")}
    assert tiles == {"cnn-tiles": 128, "linear-probe-tiles": 224, "resnet50-tiles": 224}


def test_only_what_is_here_is_offered(tmp_path: Path) -> None:
    """Without ResNet-50's values neither its probe nor its fine-tuning; with a file all of them."""
    assert recipes_here(str(tmp_path / "none.pth")) == ["colours", "cnn", "cnn-tiles"]
    (tmp_path / "values.pth").touch()
    assert recipes_here(str(tmp_path / "values.pth")) == list(recipes.RECIPES)


def test_the_command_prints_the_table_and_keeps_it(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document, a CSV file, a second call that measures nothing; impossible ones end in 2."""
    asked = ["recipes", str(tiny_root), "--recipes", "colours", "--folds", "3"]
    assert main([*asked, "--csv", str(tmp_path / "table.csv"), "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["state"] == "finished" and document["folds"] == 3
    assert "Colours alone, patients apart: " in printed.err
    (row,) = document["recipes"]
    assert row["patient"]["pictures"]["n"] == 36 and row["picture"]["leaked_test_share"] > 0
    assert (tmp_path / "table.csv").read_text().count("\n") == 3
    assert main(asked) == 0
    told = capsys.readouterr()
    assert document["words"] in told.out and "patients apart: " not in told.err
    assert main(["recipes", str(tiny_root), "--recipes", "magic"]) == 2
    assert main(["recipes", str(tiny_root), "--patients", "none"]) == 2
    assert main(["recipes", str(tiny_root), "--folds", "1"]) == 2
    told_wrong = capsys.readouterr().err
    assert "no recipe magic" in told_wrong and "nobody knows the patients" in told_wrong


def test_leaving_one_patient_out(tiny_root: Path) -> None:
    """As many folds as patients, for both kinds."""
    config = configured(tiny_root, folds=None)
    assert config.folds == 12


def test_a_name_that_is_a_formula_is_written_as_text(tiny_root: Path) -> None:
    """The folder of an encoder may be called anything; no spreadsheet runs it."""
    comparison = write_comparison(tiny_root, ("linear-probe:=1+1/model.safetensors",))
    text = recipes.as_csv(comparison, rows_of(comparison))
    (line, _) = csv.DictReader(io.StringIO(text))
    assert line["title"] == "Linear probe, =1+1" and line["recipe"].startswith("linear-probe:")
