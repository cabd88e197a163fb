"""The choice of encoder on the Train page: what is here, one's own, and how to get the rest."""

import shutil
from pathlib import Path

import pytest

from lymph import leak, runs
from lymph.data.sources import DataSet
from lymph.leak.measurement import meters_home
from lymph.models.encoder_files import folder_of
from lymph.training import estimate, speed
from lymph.training.encoders import examine
from pages.shared.loading import duration
from tests.pages.conftest import OpenPage, words


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Start no process and measure nothing; return the runs that would have been started."""
    ids: list[str] = []
    monkeypatch.setattr(runs, "start_run", lambda run: ids.append(run.id))
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: 150.0)
    return ids


def test_ones_own_encoder_is_trained_through(
    tiny: DataSet, open_page: OpenPage, started: list[str], tiny_encoder: Path
) -> None:
    """A path that is none is said and starts nothing; a folder starts a run on it."""
    app = open_page("train")
    app.radio(key="model").set_value("linear-probe").run()
    app.selectbox(key="encoder").set_value("own file").run()
    assert "neither" in app.error[0].value and not app.exception
    assert not [each for each in app.button if each.key == "start_training"]
    app.text_input(key="encoder_file").set_value(str(tiny_encoder)).run()
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert (run.config.encoder, run.config.encoder_title) == ("own", "tiny-vit")


def test_an_encoder_in_the_workspace_comes_with_its_terms(
    tiny: DataSet, open_page: OpenPage, started: list[str], tiny_encoder: Path
) -> None:
    """The others are listed with theirs, and nothing is downloaded unasked."""
    shutil.copytree(tiny_encoder, folder_of("phikon"))
    speed.file().unlink(missing_ok=True)  # an earlier test may have measured this very encoder
    app = open_page("train")
    app.radio(key="model").set_value("linear-probe").run()
    assert app.selectbox(key="encoder").value == "resnet50"
    app.selectbox(key="encoder").set_value("phikon").run()
    told = words(app).replace("\\", "")
    assert "100 pictures take" not in told  # which nobody has measured yet
    list(examine(["phikon"]))
    seconds = estimate.encoding_seconds("phikon")
    assert seconds
    assert f"100 pictures take {duration(seconds)}" in words(app.run())
    assert "no commercial use" in told and "UNI2-h" in told
    assert {"fetch_dinov2-small", "fetch_kaiko"} <= {each.key for each in app.button}
    assert "fetch_virchow2" not in {each.key for each in app.button}
    assert app.button(key="fetch_dinov2-small").label == "Download 88 MB"
    app.button(key="start_training").click().run()
    (run,) = runs.list_runs()
    assert (run.config.encoder, run.config.weights) == ("phikon", "published")


def test_the_leak_is_measured_through_ones_own_encoder(
    tiny: DataSet, open_page: OpenPage, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the command had the choice, the Split page had none."""
    monkeypatch.setattr(leak, "start_measurement", leak.measure_here)
    app = open_page("split")
    assert "leak_encoder" not in {each.key for each in app.selectbox}  # colours need none
    app.radio(key="leak_features").set_value("imagenet").run()
    assert app.selectbox(key="leak_encoder").value == "resnet50"
    app.selectbox(key="leak_encoder").set_value("own file").run()
    assert "neither" in app.error[0].value and not app.exception
    assert "measure_leak" not in {each.key for each in app.button}
    app.text_input(key="leak_encoder_file").set_value(str(tiny_encoder)).run()
    app.button(key="measure_leak").click().run()
    assert not app.exception
    (measured,) = (leak.Measurement(path) for path in meters_home().iterdir() if path.is_dir())
    assert measured.config.encoder == str(tiny_encoder) and measured.result()
    told = words(app).replace("\\", "")
    assert "On frozen features of tiny-vit" in told
    app.selectbox(key="leak_encoder").set_value("resnet50").run()
    assert "tiny-vit" not in words(app).replace("\\", "")
