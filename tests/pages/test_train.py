"""The Train page: settings, the estimate, a run that lives in files."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from lymph import runs, splits
from lymph.data import sources
from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.facts import MARKER
from lymph.jobs.start import enter_queue
from lymph.jobs.status import write_status
from lymph.runs import Run, create_run, train_here
from lymph.splits import Split, split_by_patient, split_by_picture
from lymph.training import estimate
from lymph.training import folder as files
from lymph.training.config import LAST_BLOCK, TrainConfig

from .conftest import MakeRun, OpenPage, words


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Start no process and measure nothing; return the runs that would have been started.

    The machine has no ImageNet weights, whatever the real one has.
    """
    ids: list[str] = []
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(runs, "start_run", lambda run: ids.append(run.id))
    monkeypatch.setattr(estimate, "estimate_seconds", lambda *_: 150.0)
    return ids


def live(app: AppTest) -> dict[str, Any]:
    """Return what the live view was given to draw."""
    (view,) = [view for view in app.get("bidi_component") if '"body"' in view.proto.json]
    return json.loads(view.proto.json)


def test_the_time_is_told_before_starting(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("train")
    assert not app.exception
    told = {metric.label: metric.value for metric in app.metric}
    assert told == {"Patients to learn from": "6", "Time it will take": "about 2 min"}


def test_start_makes_a_run_with_the_chosen_settings(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    app = open_page("train")
    app.number_input(key="epochs_cnn").set_value(3)
    app.number_input(key="batch_size").set_value(4)
    app.number_input(key="train_seed").set_value(7)
    app.radio(key="class_weights").set_value("patient")
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert started == [run.id]
    config = run.config
    assert (config.epochs, config.batch_size, config.seed) == (3, 4, 7)
    assert config.class_weights == "patient"
    assert run.split().by == "patient"
    assert app.query_params["run"] == run.id


def test_a_split_that_cannot_be_made_leads_to_another_one(
    tmp_path: Path, workspace: Path, open_page: OpenPage
) -> None:
    """Regression: the page ended with the sentence."""
    for place, label in enumerate(("benign", "malignant"), start=1):
        (tmp_path / "one each" / label).mkdir(parents=True)
        for n in range(1, 4):
            name = f"sj-99-{place}00_00{n}.png"
            Image.new("RGB", (64, 48), (90 * place, 60, 120)).save(
                tmp_path / "one each" / label / name
            )
    sources.add_folder(tmp_path / "one each")
    app = open_page("train")
    assert not app.exception and "Every class has a single patient" in app.error[0].value
    app.button(key="split_first").click().run()
    assert app.title[0].value == "Which patients does the model never see?"


def test_class_weights_are_shown_in_numbers(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("train")
    app.radio(key="class_weights").set_value("picture").run()
    assert "**CLL** 1.00 · **FL** 1.00 · **MCL** 1.00" in words(app)


def test_resnet50_offers_its_values_and_its_phases(
    tiny: DataSet, open_page: OpenPage, started: list[str], encoder_file: Path
) -> None:
    app = open_page("train")
    app.radio(key="model").set_value("resnet50").run()
    assert "98 MB" in app.radio(key="values").options[0]
    app.radio(key="schedule").set_value("linear_probe_then_finetune")
    app.radio(key="values").set_value("file").run()
    app.text_input(key="values_file").set_value(str(encoder_file))
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.config.weights == str(encoder_file)
    assert run.config.schedule == "linear_probe_then_finetune"
    assert run.config.stages == 3


def test_resnet50s_own_way_offers_nothing_that_it_does_not_use(
    tiny: DataSet, open_page: OpenPage, started: list[str], encoder_file: Path
) -> None:
    """Random values have nothing for a linear probe to begin with: there it is not offered."""
    app = open_page("train")
    app.radio(key="model").set_value("resnet50").run()
    assert app.radio(key="schedule").value == LAST_BLOCK
    shown = {widget.key for kind in (app.radio, app.number_input, app.toggle) for widget in kind}
    assert not {"patience", "show_variations"} & shown
    assert "validation chooses nothing" in words(app)
    app.radio(key="values").set_value("none").run()
    assert not app.exception
    assert app.radio(key="schedule").value == "finetune_then_linear_probe"
    app.radio(key="values").set_value("file").run()
    app.text_input(key="values_file").set_value(str(encoder_file)).run()
    app.radio(key="schedule").set_value(LAST_BLOCK).run()
    app.slider(key="last_block_epochs_10").set_value(3)
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.config.phases == ["linear_probe:7", "last_block:3"]
    assert run.config.tunes_last_block


def test_a_probe_asks_for_its_encoder_and_nothing_that_it_does_not_use(
    tiny: DataSet, open_page: OpenPage, started: list[str], encoder_file: Path
) -> None:
    app = open_page("train")
    app.radio(key="model").set_value("linear-probe").run()
    assert not app.exception
    assert "inner folds over the training patients" in words(app)
    shown = {widget.key for kind in (app.radio, app.number_input, app.toggle) for widget in kind}
    assert {"values", "class_weights", "epochs_linear-probe"} <= shown
    assert not {"batch_size", "patience", "schedule", "show_variations"} & shown
    app.radio(key="values").set_value("file").run()
    app.text_input(key="values_file").set_value(str(encoder_file))
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert (run.config.model, run.config.weights) == ("linear-probe", str(encoder_file))


def test_a_file_must_be_named(tiny: DataSet, open_page: OpenPage, started: list[str]) -> None:
    app = open_page("train")
    app.radio(key="model").set_value("resnet50").run()
    app.radio(key="values").set_value("file").run()
    app.button(key="start_training").click().run()
    assert "Give the path" in app.error[0].value
    assert started == []


def test_a_leaking_split_is_said_before_training(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.radio(key=f"split_by_{tiny.name}").set_value("picture").run()
    app.switch_page("pages/train.py").run()
    assert "patients that the model trains on" in app.error[0].value


def test_a_finished_run_shows_its_numbers_and_leads_on(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    run = make_run()
    app = open_page("train", run=run.id)
    assert not app.exception
    told = dict(live(app)["body"]["numbers"])
    assert told["Validation accuracy"] == "50 %"
    assert told["Train loss"] == "0.80"
    assert app.button(key="see_results")
    app.button(key="see_results").click().run()
    assert app.title[0].value == "How often is it right, and for whom?"


def test_anothers_run_is_a_line_with_a_link_and_the_form_stays(
    tiny: DataSet, open_page: OpenPage
) -> None:
    """Regression: anybody's running run took the place of the form."""
    run = create_run(
        TrainConfig(str(tiny.path)), split_by_patient(PictureSource(tiny.path).usable())
    )
    app = open_page("train")
    assert not app.exception
    assert app.button(key="start_training")
    assert "stop_run" not in {button.key for button in app.button}
    assert "1 run ahead of a new one" in words(app)
    app.button(key=f"show_{run.id}").click().run()
    assert app.button(key="stop_run") and app.button(key="start_training")
    assert app.query_params["run"] == run.id


def test_ones_own_run_is_followed_until_the_split_is_changed(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    """Regression: after another split was chosen Train showed the run of the old one."""
    app = open_page("train")
    app.button(key="start_training").click().run()
    app.switch_page("pages/split.py").run()
    app.switch_page("pages/train.py").run()
    assert app.button(key="stop_run") and app.button(key="start_training")
    app.switch_page("pages/split.py").run()
    app.number_input(key=f"split_seed_{tiny.name}").set_value(3).run()
    app.switch_page("pages/train.py").run()
    assert not app.exception and app.button(key="start_training")
    assert "stop_run" not in {button.key for button in app.button}
    (run_id,) = started
    assert " · yours · " in app.button(key=f"show_{run_id}").label


def test_every_press_makes_a_run_while_others_train(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    first, second = open_page("train"), open_page("train")
    for app in (first, second, first):
        app.button(key="start_training").click().run()
    assert len(set(started)) == 3 == len(runs.list_runs())
    assert first.query_params["run"] == started[2]
    assert second.query_params["run"] == started[1]


def test_a_press_that_another_click_interrupted_starts_the_run_all_the_same(
    tiny: DataSet, open_page: OpenPage, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a rerun before the button was reached took the press away without a word."""
    app = open_page("train")
    look = splits.untrainable
    interruptions = iter([st.rerun])

    def interrupted(table: pd.DataFrame, split: Split) -> list[str]:
        """Let the page begin anew once, as a click does that comes while it is computed."""
        next(interruptions, lambda: None)()
        return look(table, split)

    monkeypatch.setattr(splits, "untrainable", interrupted)
    app.button(key="start_training").click().run()
    assert not app.exception
    assert [run.id for run in runs.list_runs()] == started and len(started) == 1


@pytest.mark.parametrize("state", ["stopped", "failed", "lost"])
def test_a_run_that_ended_early_can_go_on(
    make_run: MakeRun, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    run = make_run()
    error = "The disk is full; free some space."
    write_status(run.path, replace(run.status(), state=state, epoch=1, error=error))
    resumed: list[str] = []
    monkeypatch.setattr(runs, "resume_run", lambda run: resumed.append(run.id))
    app = open_page("train", run=run.id)
    assert "disk is full" in app.error[0].value
    app.button(key="resume_run").click().run()
    assert resumed == [run.id]


def test_a_resumed_run_is_followed_again(
    make_run: MakeRun, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    write_status(run.path, replace(run.status(), state="stopped", epoch=1))

    def resume(run: Run) -> None:
        write_status(run.path, replace(run.status(), state="queued", queued=time.time()))

    monkeypatch.setattr(runs, "resume_run", resume)
    app = open_page("train", run=run.id)
    app.button(key="resume_run").click().run()
    assert not app.exception
    assert app.button(key="stop_run")


def test_an_unknown_run_is_said_and_can_be_left(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("train", run="no-such-run")
    assert "no run" in app.error[0].value
    app.button(key="new_run").click().run()
    assert not app.error
    assert app.button(key="start_training")


def test_runs_are_listed_and_opened(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    app = open_page("train")
    app.button(key=f"show_{run.id}").click().run()
    assert app.button(key="see_results")


def test_folds_make_one_run_of_all_patients(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    app = open_page("train")
    app.radio(key="test_on").set_value("folds").run()
    app.number_input(key="fold_count").set_value(4).run()
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Patients tested"] == "12"
    app.button(key="start_training").click().run()
    (run,) = runs.list_runs()
    assert len(run.split().folds) == 4
    assert run.status().folds == 4


@pytest.mark.parametrize("tested", ["folds", "patient"])
def test_what_cannot_be_trained_cannot_be_started(
    tiny: DataSet, open_page: OpenPage, tested: str
) -> None:
    """Regression: the run was started, and failed in the fold that tests a class's only patient."""
    for picture in (tiny.path / "FL").iterdir():
        if "-22_" not in picture.name:
            picture.unlink()
    app = open_page("train")
    assert not app.error and not app.button(key="start_training").disabled
    app.radio(key="test_on").set_value(tested)
    app.radio(key="class_weights").set_value("patient").run()
    assert not app.exception
    assert app.error[0].value.startswith("FL has no training pictures in fold ")
    assert app.button(key="start_training").disabled
    assert "Time it will take" not in {metric.label for metric in app.metric}


def test_one_patient_at_a_time_trains_the_head_alone(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    app = open_page("train")
    app.radio(key="test_on").set_value("patient")
    app.radio(key="model").set_value("resnet50").run()
    app.radio(key="values").set_value("none").run()
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert len(run.split().folds) == 12
    assert run.config.schedule == "linear_probe"


def test_phases_and_ways_to_vary_are_free(
    tiny: DataSet, open_page: OpenPage, started: list[str]
) -> None:
    app = open_page("train")
    app.radio(key="model").set_value("resnet50").run()
    app.radio(key="values").set_value("none").run()
    app.radio(key="schedule").set_value("linear_probe_then_finetune").run()
    app.slider(key="finetune_epochs_10").set_value(7)
    app.number_input(key="patience").set_value(3)
    app.button_group(key="augmentation").set_value(["crop", "flips"]).run()
    app.button(key="start_training").click().run()
    assert not app.exception
    (run,) = runs.list_runs()
    assert run.config.phases == ["linear_probe:3", "finetune:7"]
    assert run.config.patience == 3
    assert run.config.augmentation == ["flips", "crop"]


@pytest.mark.parametrize(("by", "marked"), [("picture", True), ("patient", False)])
def test_a_leaky_validation_is_marked_while_it_trains(
    tiny: DataSet, open_page: OpenPage, by: str, marked: bool
) -> None:
    """The figure carries the mark wherever it appears, this page included."""
    table = PictureSource(tiny.path).usable()
    split = split_by_picture(table) if by == "picture" else split_by_patient(table)
    run = create_run(TrainConfig(str(tiny.path), epochs=1), split)
    train_here(run)
    app = open_page("train", run=run.id)
    (label,) = [name for name, _ in live(app)["body"]["numbers"] if name.startswith("Validation a")]
    assert ("leaky split" in label) is marked


def test_variations_are_shown_on_ones_own_pictures(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("train")
    app.toggle(key="show_variations").set_value(True).run()
    assert not app.exception
    pictures = app.get("image")
    assert len(pictures) == 3 * 5


def test_the_queue_is_shown_and_a_run_can_be_taken_out(tiny: DataSet, open_page: OpenPage) -> None:
    split = split_by_patient(PictureSource(tiny.path).usable())
    first, second = (create_run(TrainConfig(str(tiny.path)), split) for _ in range(2))
    for run in (first, second):
        enter_queue(run.path, "Small CNN, by patient", lambda before: before)
    app = open_page("train", run=second.id)
    assert "Waiting for ‘Small CNN, by patient’" in live(app)["head"]["words"].replace("\\", "")
    assert "Starting" in live(open_page("train", run=first.id))["head"]["words"]
    app.button(key=f"out_{first.id}").click().run()
    assert (first.path / files.STOP).exists()


def test_signs_of_trouble_are_said(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    write_status(run.path, replace(run.status(), warnings=["The training loss stands."]))
    app = open_page("train", run=run.id)
    assert "training loss stands" in app.warning[0].value


def test_a_finished_run_says_what_it_is_worth_and_whether_that_may_be_stated(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    run = make_run()
    app = open_page("train", run=run.id)
    assert not app.exception
    said = words(app).replace("\\", "")
    assert "This model classifies 67 % of 9 test pictures from 3 patients correctly" in said
    assert "✕ Cannot be stated" in said and "3 patients: this test cannot tell" in said
    (Path(run.config.data) / MARKER).write_text("drawn by a computer")
    app = open_page("train", run=run.id)
    assert "67 % of 9 computer-drawn test pictures from 3 patients" in words(app).replace("\\", "")
    # What an older version left unreadable is said, and the page stands.
    (run.path / "predictions.csv").unlink()
    app = open_page("train", run=run.id)
    assert not app.exception and "no prediction table" in app.error[0].value
