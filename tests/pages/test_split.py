"""The Split page: which patients the model never sees."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lymph import leak, splits
from lymph.data.sources import DataSet
from pages.shared import loading
from pages.shared.state import SPLITS_KEY, SplitSettings

from .conftest import OpenPage


def numbers(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def thumbnails(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def board(app: AppTest) -> dict[str, Any]:
    """Return what the board of patients was given to draw."""
    (drawn,) = [view for view in app.get("bidi_component") if "patients" in view.proto.json]
    return json.loads(drawn.proto.json)


def move(app: AppTest, data_set: DataSet, *moves: tuple[str, str]) -> AppTest:
    """Move patients by hand, as the board does when it reports a move."""
    kept = SplitSettings(by="hand", moves=moves)
    app.session_state[SPLITS_KEY] = {(str(data_set.path), ""): tuple(kept)}
    app.session_state[f"split_by_{data_set.name}"] = "hand"
    return app.run()


def patients_in(app: AppTest, set_name: str, label: str = "") -> list[str]:
    shown = board(app)
    (group,) = [one for one in shown["groups"] if one["name"] == set_name]
    own = [shown["patients"][n] for n in group["tiles"]]
    return [one["name"] for one in own if label in ("", one["label"])]


def test_a_patient_split_leaks_nothing(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    assert not app.exception
    assert numbers(app) == {
        "Patients never seen": "3",
        "Test pictures": "9",
        "From patients in the training set": "0",
    }
    assert "No test picture comes from a patient" in app.success[0].value
    assert [group["title"] for group in board(app)["groups"]] == [
        "Train: 6 patients",
        "Validation: 3 patients",
        "Test: 3 patients",
    ]


def test_every_patient_is_one_tile(tiny: DataSet, open_page: OpenPage) -> None:
    """Regression: each was drawn twice, on a page four screens high."""
    shown = board(open_page("split"))
    tiles = [n for group in shown["groups"] for n in group["tiles"]]
    assert sorted(tiles) == list(range(12)) == list(range(len(shown["patients"])))
    assert {one["told"] for one in shown["patients"]} == {"3 pictures"}
    assert shown["movable"]


def test_a_picture_split_says_its_leak_large(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.radio(key=f"split_by_{tiny.name}").set_value("picture").run()
    assert not app.exception
    leaked = int(numbers(app)["From patients in the training set"])
    assert leaked > 0
    assert app.error[0].value.startswith(f"## {leaked} of {numbers(app)['Test pictures']}")
    body = thumbnails(app)
    assert body.count("<b>T</b>") == int(numbers(app)["Test pictures"])


def test_the_notebook_preset_is_refused_where_its_patients_are_missing(
    tiny: DataSet, open_page: OpenPage
) -> None:
    app = open_page("split")
    app.radio(key=f"split_by_{tiny.name}").set_value("notebook").run()
    assert "notebook" in app.error[0].value
    app.radio(key=f"split_by_{tiny.name}").set_value("patient").run()
    assert not app.error


def test_another_seed_makes_another_split_and_is_kept_for_training(
    tiny: DataSet, open_page: OpenPage
) -> None:
    app = open_page("split")
    app.number_input(key=f"split_seed_{tiny.name}").set_value(3).run()
    app.switch_page("pages/train.py").run()
    assert any("Split by patient, seed 3" in c.value for c in app.caption)
    app.switch_page("pages/split.py").run()
    assert app.number_input(key=f"split_seed_{tiny.name}").value == 3


def test_the_sizes_of_the_sets_can_be_chosen(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.radio(key=f"split_by_{tiny.name}").set_value("picture").run()
    app.slider(key=f"split_test_{tiny.name}").set_value(40).run()
    assert numbers(app)["Test pictures"] == "15"


def test_the_split_can_be_downloaded(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["Download split.json", "Download as a table (CSV)"]


def test_names_are_shown_as_text(tiny: DataSet, open_page: OpenPage) -> None:
    first = tiny.path / "CLL" / "sj-99-11_001.png"
    first.rename(first.with_name("sj-99-11_001<b onclick=x>&.png"))
    app = choose(open_page("split"), tiny, "picture")
    body = thumbnails(app)
    assert "<b onclick" not in body
    assert "&lt;b onclick" in body


def test_download_holds_the_contract(tiny: DataSet) -> None:
    from lymph.data.source import PictureSource
    from lymph.splits import split_by_patient

    document = json.loads(json.dumps(split_by_patient(PictureSource(tiny.path).table()).to_json()))
    assert set(document) == {"version", "by", "seed", "sets"}


def choose(app: AppTest, data_set: DataSet, way: str) -> AppTest:
    return app.radio(key=f"split_by_{data_set.name}").set_value(way).run()


def test_a_patient_is_moved_and_back(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    moved = patients_in(app, "train")[0]
    app = move(app, tiny, (moved, "test"))
    assert not app.exception
    assert numbers(app)["Patients never seen"] == "4"
    assert numbers(app)["Test pictures"] == "12"
    assert moved in patients_in(app, "test")
    app.switch_page("pages/train.py").run()
    assert not app.exception
    app.switch_page("pages/split.py").run()
    assert numbers(app)["Test pictures"] == "12"
    app.button(key="undo_moves").click().run()
    assert numbers(app)["Test pictures"] == "9"


def test_folds_test_every_patient_once(tiny: DataSet, open_page: OpenPage) -> None:
    app = choose(open_page("split"), tiny, "folds")
    app.number_input(key=f"split_k_{tiny.name}").set_value(4).run()
    assert not app.exception
    assert numbers(app) == {
        "Folds": "4",
        "Test pictures": "36",
        "From patients in the training set": "0",
    }
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert numbers(app)["Patients tested"] == "12"
    app.switch_page("pages/split.py").run()
    assert not board(app)["movable"] and len(board(app)["groups"]) == 4
    assert "Is every class balanced across sets?" in [part.label for part in app.expander]
    app = choose(app, tiny, "one-out")
    assert numbers(app)["Folds"] == "12"
    # Twelve bars of one class each would tell nothing.
    assert "Is every class balanced across sets?" not in [part.label for part in app.expander]


def leave_patients(data_set: DataSet, label: str, patients: tuple[int, ...]) -> None:
    """Leave a class these patients only."""
    kept = tuple(f"sj-99-{patient}_" for patient in patients)
    for picture in (data_set.path / label).iterdir():
        if not picture.name.startswith(kept):
            picture.unlink()


@pytest.mark.parametrize("way", ["folds", "one-out"])
def test_folds_that_cannot_be_trained_are_red(tiny: DataSet, open_page: OpenPage, way: str) -> None:
    """Regression: they were green, and failed in training."""
    leave_patients(tiny, "FL", (22,))
    app = choose(open_page("split"), tiny, way)
    assert not app.exception and not app.success
    assert app.error[0].value.startswith("FL has no training pictures in fold ")
    assert app.error[0].value.endswith("exclude the class\\.")
    app = choose(app, tiny, "patient")
    assert not app.error and app.success


def test_two_patients_of_a_class_are_enough_for_folds(tiny: DataSet, open_page: OpenPage) -> None:
    """The one that is not tested trains, and nobody is missing for a validation."""
    leave_patients(tiny, "FL", (22, 23))
    app = choose(open_page("split"), tiny, "one-out")
    assert not app.error and app.success
    assert not any("fold" in warning.value for warning in app.warning)


def test_a_class_moved_out_of_training_is_red(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app = move(app, tiny, *((who, "test") for who in patients_in(app, "train", "MCL")))
    assert app.error[0].value.startswith("MCL has no training pictures, so it cannot be learnt")
    assert not app.success


def test_a_split_is_saved_used_and_forgotten(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.number_input(key=f"split_seed_{tiny.name}").set_value(7).run()
    app.text_input(key="split_name").set_value("for the lecture")
    app.button(key="save_split").click().run()
    (saved,) = splits.list_splits(tiny.path).values()
    assert saved.seed == 7
    app = choose(app, tiny, "saved")
    assert not app.exception and not app.error
    app.switch_page("pages/train.py").run()
    assert any("Split by patient, seed 7" in c.value for c in app.caption)
    app.switch_page("pages/split.py").run()
    app.button(key="forget_split").click().run()
    assert not splits.list_splits(tiny.path) and not app.exception


def test_another_split_of_the_same_name_gets_a_number(tiny: DataSet, open_page: OpenPage) -> None:
    """Regression: it took the place of the first without a word."""
    app = open_page("split")
    for seed in (7, 8):
        app.number_input(key=f"split_seed_{tiny.name}").set_value(seed).run()
        app.text_input(key="split_name").set_value("mine")
        app.button(key="save_split").click().run()
        assert not app.exception and not app.error
    saved = splits.list_splits(tiny.path)
    assert {name: split.seed for name, split in saved.items()} == {"mine": 7, "mine (2)": 8}


def test_a_split_from_a_file_is_used_or_refused(tiny: DataSet, open_page: OpenPage) -> None:
    patients = [f"99-{n}" for n in (11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34)]
    rows = "".join(f"{p},{'test' if p[-1] == '1' else 'train'}\n" for p in patients)
    app = open_page("split")
    app.file_uploader(key="split_upload").upload("mine.csv", f"patient,set\n{rows}".encode()).run()
    app.button(key="use_split").click().run()
    assert not app.exception
    assert numbers(app)["Patients never seen"] == "3"
    assert app.radio(key=f"split_by_{tiny.name}").value == "saved"
    other = b"patient,set\n99-11,train\n99-77,test\n"
    app.file_uploader(key="split_upload").upload("other.csv", other).run()
    app.button(key="use_split").click().run()
    assert "such as 99-77" in app.error[0].value.replace("\\", "")


def test_twins_on_two_sides_are_shown(tiny: DataSet, open_page: OpenPage) -> None:
    content = (tiny.path / "CLL" / "sj-99-11_001.png").read_bytes()
    for number in (12, 13, 14):
        (tiny.path / "CLL" / f"sj-99-{number}_001.png").write_bytes(content)
    app = open_page("split")
    assert any("look the same and are in two sets" in w.value for w in app.warning)


def test_twins_of_a_large_set_are_looked_for_on_a_click(
    tiny: DataSet, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where decoding every picture would take long, nothing is read until it is asked for."""
    monkeypatch.setattr(loading, "DECODED_AT_ONCE", 10)
    content = (tiny.path / "CLL" / "sj-99-11_001.png").read_bytes()
    for number in (12, 13, 14):
        (tiny.path / "CLL" / f"sj-99-{number}_001.png").write_bytes(content)
    app = open_page("split")
    assert not app.warning
    app.button(key="look_for_twins").click().run()
    assert any("look the same and are in two sets" in w.value for w in app.warning)


def test_balance_counts_patients_too(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.button_group(key="balance_unit").set_value("patients").run()
    assert not app.exception


def test_the_leak_is_measured_and_told(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    assert app.button(key="measure_leak").label == "Measure the leak"
    leak.measure_here(leak.MeterConfig(str(tiny.path), seeds=2))
    app.run()
    assert not app.exception
    charts = app.get("plotly_chart")
    told = "\n".join(e.value for e in app.markdown).replace("\\", "").replace("\u00a0", " ")
    assert "12 patients, 95 % interval" in told
    assert any("2 seeds" in caption.value for caption in app.caption)
    leak.measure_here(leak.MeterConfig(str(tiny.path), seeds=2, control=True))
    app.run()
    assert not app.exception and len(app.get("plotly_chart")) > len(charts)
    told = "\n".join(e.value for e in app.markdown).replace("\\", "").replace("\u00a0", " ")
    assert "12 patients, 95 % interval" in told and "has a class drawn at random" in told
    assert any("2 random draws" in caption.value for caption in app.caption)
    assert app.button(key="measure_control").label == "Run the negative control"


def audit(app: AppTest, train: dict[str, str], test: dict[str, str]) -> AppTest:
    for key, lists in (("audit_train", train), ("audit_test", test)):
        files = [(name, text.encode(), "text/plain") for name, text in lists.items()]
        app.file_uploader(key=key).set_value(files)
    return app.run()


def test_a_published_split_is_audited(tiny: DataSet, open_page: OpenPage) -> None:
    """Who is on both sides, in words and as a table; apart is green; names are shown as text."""
    train = "".join(f"sj-05-{patient}_{i:03}.tif\n" for patient in (1, 2) for i in range(3))
    app = audit(open_page("split"), {"a.txt": train}, {"b.txt": "sj-05-2_009.tif\n"})
    assert not app.exception
    assert app.error[0].value.startswith("### 1 of 1 test picture comes from a patient who also")
    table = next(frame.value for frame in app.dataframe if "Patient" in frame.value)
    assert table.to_numpy().tolist() == [["05-2", 3, 1]]

    app = audit(app, {"a.txt": train}, {"b.txt": "sj-05-3_009.tif\n"})
    assert not app.error
    assert any(told.value.startswith("### None of 1 test picture") for told in app.success)

    app = audit(app, {"a.txt": train}, {"[x](http://y).txt": "\0"})
    assert app.error[0].value.startswith("y\\)\\.txt is not a table") and not app.exception


def test_published_folds_are_audited_in_one_go(tiny: DataSet, open_page: OpenPage) -> None:
    names = [f"sj-05-{patient}_{i:03}.tif" for patient in (1, 2) for i in range(4)]
    sides = names[::2], names[1::2]
    train = {f"train_{k}.txt": "\n".join(sides[k]) for k in (0, 1)}
    test = {f"test_{k}.txt": "\n".join(sides[1 - k]) for k in (0, 1)}
    app = audit(open_page("split"), train, test)
    assert not app.exception
    assert app.error[0].value.startswith("### 8 of 8 test pictures come from")
    assert "over 2 folds" in app.error[0].value
    app = audit(app, train, {})
    assert not app.error
    assert any("test lists are missing" in told.value for told in app.info)


@pytest.mark.usefixtures("tiny")
def test_an_audit_needs_no_picture_of_the_split(open_page: OpenPage) -> None:
    app = audit(open_page("split"), {"x.csv": "patient,set\nA,train\nA,test\n"}, {})
    assert not app.exception
    assert app.error[0].value.startswith("### 1 of 1 test patient also trains")
