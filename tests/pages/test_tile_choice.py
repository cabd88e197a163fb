"""Tiles from the Train page to the map of an answer's tiles, for every model."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lymph import runs
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.models.encoder_files import folder_of
from lymph.splits import split_by_patient
from lymph.training import estimate
from lymph.training.config import TrainConfig
from tests.pages.conftest import OpenPage, words
from tests.waiting import PATIENCE


@pytest.mark.parametrize("model", ["cnn", "resnet50"])
def test_tiles_are_chosen_for_a_network_that_learns(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Whole pictures unless asked for; then its own side, and how a picture is learned from."""
    monkeypatch.setattr(runs, "start_run", lambda run: None)
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: 150.0)
    app = open_page("train")
    app.radio(key="model").set_value(model).run()
    tiles = app.button_group(key=f"tiles_{model}")
    assert tiles.value == 0
    side = {"cnn": 128, "resnet50": 224}[model]
    tiles.set_value(side).run()
    assert "one of its tiles, drawn at random" in words(app)
    if model == "cnn":
        app.toggle(key="show_variations").set_value(True).run()
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.config.tiles == side


def test_tiles_are_chosen_for_the_probe(
    tiny: DataSet, open_page: OpenPage, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole pictures unless asked for, beside the choice of the encoder."""
    monkeypatch.setattr(runs, "start_run", lambda run: None)
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: 150.0)
    shutil.copytree(tiny_encoder, folder_of("phikon"))
    app = open_page("train")
    app.radio(key="model").set_value("linear-probe").run()
    app.selectbox(key="encoder").set_value("phikon").run()
    assert app.button_group(key="tiles").value == 0
    app.button_group(key="tiles").set_value(224).run()
    assert "bare glass is left out" in words(app)
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.config.tiles == 224


def explain(run_id: str, file: str) -> None:
    import numpy as np
    from PIL import Image

    from lymph.runs import open_run
    from pages.shared.pictures.explaining import show_explanation

    pixels = np.asarray(Image.open(file))
    show_explanation(open_run(run_id), "a.png", pixels, "CLL", "test")


def test_the_tile_map_is_the_models_own_view(tiny: DataSet, tiny_encoder: Path) -> None:
    """It says that the answer is their mean; of bare glass there is none."""
    source = PictureSource(tiny.path)
    config = TrainConfig(source, "linear-probe", encoder=str(tiny_encoder), tiles=64, epochs=1)
    run = runs.create_run(config, split_by_patient(source.usable()))
    assert runs.train_here(run).state == "finished", run.status().error
    picture = Path(source.root) / run.predictions()["picture"].iloc[0]
    bare = Path(tiny.path).parent / "bare.png"
    Image.fromarray(np.full((48, 64, 3), 255, np.uint8)).save(bare)
    for file, told in ((picture, "the model's own view"), (bare, "every tile of this picture")):
        given = {"run_id": run.id, "file": str(file)}
        app = AppTest.from_function(explain, kwargs=given, default_timeout=PATIENCE)
        app.session_state["test_view"] = "Tile by tile"
        app.run()
        assert not app.exception
        assert told in words(app).lower()
