"""The Split page: which patients the model never sees."""

import json

from streamlit.testing.v1 import AppTest

from lymph.data.sources import DataSet

from .conftest import OpenPage


def numbers(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def thumbnails(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_a_patient_split_leaks_nothing(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    assert not app.exception
    assert numbers(app) == {
        "Patients never seen": "3",
        "Test pictures": "9",
        "Of these, leaked": "0",
    }
    assert "No test picture comes from a patient" in app.success[0].value
    assert [s.value for s in app.subheader][2:] == [
        "Test: 3 patients",
        "Validation: 3 patients",
        "Train: 6 patients",
    ]


def test_every_picture_stands_in_one_row(tiny: DataSet, open_page: OpenPage) -> None:
    body = thumbnails(open_page("split"))
    assert body.count("<img") == 36
    assert body.count('class="lymph-patient"') == 12


def test_a_picture_split_says_its_leak_large(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("split")
    app.radio(key=f"split_by_{tiny.name}").set_value("picture").run()
    assert not app.exception
    leaked = int(numbers(app)["Of these, leaked"])
    assert leaked > 0
    assert app.error[0].value.startswith(f"### {leaked} of {numbers(app)['Test pictures']}")
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
    body = thumbnails(open_page("split"))
    assert "<b onclick" not in body
    assert "&lt;b onclick" in body


def test_download_holds_the_contract(tiny: DataSet) -> None:
    from lymph.data.scan import scan
    from lymph.splits import split_by_patient

    document = json.loads(json.dumps(split_by_patient(scan(tiny.path)).to_json()))
    assert set(document) == {"version", "by", "seed", "sets"}
