"""The Results page: the figures are those of the library, and a cell leads to its pictures."""

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.evaluation import patient_results, report
from lymph.facts import MARKER, NOTEBOOK_FIGURES, PUBLISHED
from lymph.jobs.status import write_status
from lymph.predictions import write_predictions
from lymph.splits import split_by_patient, split_by_picture
from pages.shared.state import STARTED_KEY

from .conftest import MakeRun, OpenPage, words


def numbers(app: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in app.metric]


def headings(app: AppTest) -> list[str]:
    """Return the headings over chosen pictures."""
    own = ("Patients, the worst first", "Confusion matrix", "Confusion matrices")
    found = [one.value for one in app.header]
    return [words for words in found if words not in (*own, "More about this run")]


def body(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_without_a_run_the_next_step_is_offered(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("results")
    assert "No model has learned" in words(app)
    assert app.button(key="go_train")


def test_the_numbers_carry_split_patients_and_interval(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    run = make_run()
    app = open_page("results")
    assert not app.exception
    figures = report(run.predictions())
    share = figures["pictures"]["accuracy"]
    assert numbers(app) == [
        ("Classified correctly, per picture", f"{100 * share:.0f} %"),
        ("Classified correctly, per patient", "2 of 3"),
    ]
    said = words(app)
    assert "9 pictures" in said
    assert "95 % interval 9 to 99 %, 3 patients" in said
    assert "split by patient" in said
    assert app.query_params["run"] == run.id


def test_a_cell_in_the_address_shows_the_pictures_behind_it(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results", cell=["CLL", "FL"])
    assert not app.exception
    assert headings(app)[0] == "CLL called FL: 3 pictures, 1 patient"
    opened = [button for button in app.button if button.key.startswith("cell_open")]
    assert len(opened) == 3
    assert "is CLL, called FL (80 %)" in body(app)
    assert app.query_params["cell"] == ["CLL", "FL"]


def test_the_choice_survives_another_run(make_run: MakeRun, open_page: OpenPage) -> None:
    first, second = make_run(), make_run(seed=1)
    app = open_page("results", run=first.id, cell=["CLL", "FL"])
    app.selectbox(key="results_choice").set_value(second.id).run()
    assert app.query_params["run"] in (second.id, [second.id])
    assert headings(app)[0].startswith("CLL called FL")


def test_the_choice_survives_another_page(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results", cell=["CLL", "FL"])
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/results.py").run()
    assert headings(app)[0].startswith("CLL called FL")


def test_all_correct_and_all_wrong_are_taken_on_and_off(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results")
    app.button(key="wrong_0").click().run()
    assert headings(app)[0].startswith("All wrong, worst mistakes first: 3 pictures")
    app.button(key="right_0").click().run()
    assert headings(app)[0].startswith("All correct: 6 pictures")
    app.button(key="right_0").click().run()
    assert not headings(app)
    assert "cell" not in app.query_params


def test_a_cell_of_patients_shows_all_their_pictures(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results", cell=["CLL", "FL"])
    app.button_group(key="level").set_value("patients").run()
    assert headings(app)[0] == "CLL called FL: 3 pictures, 1 patient"


def test_an_empty_cell_says_so(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    assert "No picture is in this cell" in words(open_page("results", cell=["MCL", "CLL"]))


@pytest.mark.parametrize("cell", [["DLBCL", "CLL"], ["sideways"], ["a", "b", "c"], [""]])
def test_a_cell_that_is_not_there_shows_the_matrix_alone(
    make_run: MakeRun, open_page: OpenPage, cell: list[str]
) -> None:
    make_run()
    app = open_page("results", cell=cell)
    assert not app.exception and not app.error and not headings(app)
    assert len(app.metric) == 2


def test_an_opened_picture_shows_answer_and_siblings(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results", cell=["CLL", "FL"])
    app.button(key="cell_open_0").click().run()
    assert not app.exception
    assert "2 other pictures of patient" in words(app)
    assert "wrong" in body(app)


def test_another_set_and_patients_can_be_shown(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results")
    app.button_group(key="set_name").set_value("train").run()
    app.button_group(key="level").set_value("patients").run()
    app.radio(key="mode").set_value("of_predicted").run()
    assert not app.exception
    assert numbers(app)[1] == ("Classified correctly, per patient", "6 of 6")


def test_a_run_on_drawings_is_not_set_beside_real_slides(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    (tiny.path / MARKER).write_text("drawn by a computer")
    make_run()
    app = open_page("results", part="Published results")
    assert not app.exception and not app.get("plotly_chart")
    assert "published ones, which are of real slides" in words(app)


def test_a_leak_stands_in_red(tiny: DataSet, make_run: MakeRun, open_page: OpenPage) -> None:
    make_run(split_by_picture(PictureSource(tiny.path).usable()))
    app = open_page("results")
    assert app.error[0].value.startswith("**This split leaks.**")


def test_a_stranger_sees_an_honest_run_first(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """Regression: a new workspace opened with the leaky run that came along, being the newer."""
    honest = make_run()
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    write_status(leaky.path, replace(leaky.status(), queued=2.0))
    assert open_page("results").selectbox(key="results_choice").value == honest.id
    assert open_page("results", run=leaky.id).selectbox(key="results_choice").value == leaky.id
    # Who has started a run wants to see that one, whatever it is worth.
    app = open_page("data")
    app.session_state[STARTED_KEY] = {leaky.id}
    app.switch_page("pages/results.py").run()
    assert app.selectbox(key="results_choice").value == leaky.id


def matrices(app: AppTest) -> int:
    names = [element.proto.component_name for element in app.get("bidi_component")]
    return names.count("lymph.matrix")


def test_runs_stand_side_by_side(make_run: MakeRun, open_page: OpenPage) -> None:
    first, second, third = make_run(), make_run(seed=1), make_run(seed=2)
    app = open_page("results", run=first.id)
    assert matrices(app) == 1
    app.multiselect(key="compare_with").set_value([second.id, third.id]).run()
    assert not app.exception
    assert matrices(app) == 3
    assert app.query_params["with"] == [second.id, third.id]
    assert words(app).count("cannot tell them apart") == 2
    assert "Run C" in words(app)


def test_the_difference_of_two_runs_leads_to_pictures_too(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    first, second = make_run(), make_run(seed=1)
    app = open_page("results", run=first.id, cell=["CLL", "FL"], **{"with": [second.id]})
    app.button_group(key="comparison").set_value("Difference").run()
    assert not app.exception
    assert matrices(app) == 1
    told = headings(app)
    assert told == [
        "CLL called FL by run A alone: 0 pictures",
        "CLL called FL by run B alone: 0 pictures",
    ]


def test_runs_on_other_pictures_stand_side_by_side_and_are_never_subtracted(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """A leaky run was shown as better by ten points, on other patients."""
    table = PictureSource(tiny.path).usable()
    honest, leaky = make_run(), make_run(split_by_picture(table))
    app = open_page("results", run=honest.id, **{"with": [leaky.id]})
    assert not app.exception
    # Neither the difference nor its sentence is offered.
    assert "comparison" not in app.session_state
    assert not [group for group in app.button_group if group.key == "comparison"]
    assert "interval of the difference" not in words(app)
    beside = app.table[-1].value
    assert list(beside.columns) == ["Run A", "Run B"]
    assert beside.loc["Of patients it trained on", "Run A"].startswith("0 of 9 pictures, 0 of 3")
    assert "leaky split" in beside.loc["Of patients it trained on", "Run B"]
    assert set(beside.loc["May it be stated?"]) == {"✕ Cannot be stated"}
    assert "why run B may score higher without being better" in words(app)


def test_runs_on_the_same_and_on_other_pictures_together(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    table = PictureSource(tiny.path).usable()
    first, same, other = make_run(), make_run(seed=1), make_run(split_by_patient(table, seed=5))
    app = open_page("results", run=first.id, **{"with": [other.id, same.id]})
    assert not app.exception
    said = words(app)
    assert said.count("cannot tell them apart") == 1
    assert "**Run A and run B were tested on different pictures**" in said
    assert "No difference was seen, so how many patients" in said


def test_a_cross_validation_stands_beside_a_run_of_one_split(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    first, second = make_run(), make_run(seed=1)
    table = second.predictions()
    table = table.assign(set="test", fold=[str(int(p[-1]) % 3) for p in table["patient"]])
    write_predictions(table, second.path / "predictions.csv")
    app = open_page("results", run=first.id, **{"with": [second.id]})
    assert not app.exception and not app.error
    beside = app.table[-1].value
    assert beside.loc["Tested on", "Run B"].endswith("36 pictures of 12 patients")


def test_a_run_to_compare_with_that_cannot_be_read_is_said(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    first, second = make_run(), make_run(seed=1)
    (second.path / "predictions.csv").unlink()
    app = open_page("results", run=first.id, **{"with": [second.id]})
    assert not app.exception and matrices(app) == 1
    assert "no prediction table" in words(app)


def test_each_headline_says_whether_it_may_be_stated(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results")
    said = words(app).replace("\\", "")
    assert said.count("✕ Cannot be stated") == 2
    assert (
        "3 patients: this test cannot tell" in said
        and "To be stated, this accuracy needs about" in said
    )
    assert "National Center for Health Statistics" in said
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    said = words(open_page("results", run=leaky.id))
    assert said.count("✕ Cannot be stated") == 2 and "To be stated, this accuracy needs" not in said


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("Classes", "Wilson's interval"),
        ("Curves", "Mean area"),
        ("Calibration", "None of them is of a patient judged here"),
        ("Pictures", "the lowest probability of the true class first"),
        ("Published results", "A figure means something only with its split"),
        ("Export", "a script that repeats the run"),
    ],
)
def test_every_part_can_be_opened_by_its_address(
    make_run: MakeRun, open_page: OpenPage, part: str, expected: str
) -> None:
    make_run()
    app = open_page("results", part=part)
    assert not app.exception and not app.error
    assert expected in words(app)
    assert "Test set, split by patient, 9 pictures of 3 patients" in words(app)


def test_a_run_without_features_says_why_it_has_no_map(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    """Runs of older versions kept none; that is not taken for a run that goes on."""
    make_run()
    app = open_page("results", part="Map")
    assert not app.exception
    assert "an older version made it" in app.error[0].value


def test_a_leaky_figure_is_marked_in_every_part(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run(split_by_picture(PictureSource(tiny.path).usable()))
    for part in (
        "Classes",
        "Curves",
        "Calibration",
        "Pictures",
        "Map",
        "Published results",
        "Export",
    ):
        app = open_page("results", part=part)
        assert all("leaky split" in metric.label for metric in app.metric)
        assert any("leaky split" in caption.value for caption in app.caption), part


def test_published_figures_stand_with_their_protocol(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    app = open_page("results", part="Published results")
    table = app.table[-1].value
    assert len(table) == 1 + len(PUBLISHED) + len(NOTEBOOK_FIGURES)
    assert table["Leaks"].iloc[1] == "yes"


def test_a_cross_validation_is_judged_out_of_fold(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """Its predictions are marked as tests of each fold; together they are out of fold."""
    run = make_run()
    table = run.predictions()
    table = table.assign(set="test", fold=[str(int(p[-1]) % 3) for p in table["patient"]])
    write_predictions(table, run.path / "predictions.csv")
    app = open_page("results", run=run.id)
    assert app.button_group(key="set_name").value == "out-of-fold"
    assert "36 pictures" in words(app)
    said = words(open_page("results", part="Calibration")).replace("\\", "")
    assert "confidence was never checked" in said and "No reliability curve" in said


def test_an_unknown_run_is_said_and_can_be_left(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results", run="no-such-run")
    assert "no run" in app.error[0].value
    app.button(key="other_run").click().run()
    assert not app.error


def test_a_run_without_predictions_is_said(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    (run.path / "predictions.csv").unlink()
    app = open_page("results")
    assert "no prediction table" in words(app)
    assert open_page("results", run=run.id).error[0].value.startswith("There is no prediction")


def rows_of_patients(app: AppTest) -> list[dict[str, object]]:
    """Return what each patient's row was given."""
    parts = [element.proto for element in app.get("bidi_component")]
    return [json.loads(part.json) for part in parts if part.component_name == "lymph.patient"]


def test_patients_come_first_and_the_worst_of_them_on_top(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    """The one mistaken patient was three clicks away."""
    make_run()
    app = open_page("results")
    rows = rows_of_patients(app)
    assert len(rows) == 3
    assert "✗ called FL" in rows[0]["html"] and "0 of 3" in rows[0]["html"]
    assert "✓ correct" in rows[1]["html"]
    assert "all 3 pictures of CLL called FL come from" in body(app)
    assert "the only patient with CLL here" in body(app)
    assert "Click a patient, a cell of the matrix" in words(app)


def test_a_patient_in_the_address_is_chosen_everywhere(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    run = make_run()
    test = run.predictions()
    patient = test.loc[(test["set"] == "test") & (test["label"] == "CLL"), "patient"].iloc[0]
    app = open_page("results", patient=patient)
    assert not app.exception
    assert headings(app)[0].replace("\\", "") == (
        f"Patient {patient}, 0 classified correctly: 3 pictures, 1 patient"
    )
    rows = rows_of_patients(app)
    assert [row["pressed"] for row in rows] == [True, False, False]
    assert [row["chosen"] for row in rows] == [[0, 1, 2], [], []]
    assert app.query_params["patient"] in (patient, [patient])
    app.button(key="choose_nothing").click().run()
    assert "patient" not in app.query_params and not headings(app)


@pytest.mark.parametrize(
    "query",
    [{"patient": "00-0000"}, {"patient": "<b>x"}, {"sure": ["55", "right"]}, {"sure": "90"}],
)
def test_a_choice_that_is_not_there_chooses_nothing(
    make_run: MakeRun, open_page: OpenPage, query: dict[str, str | list[str]]
) -> None:
    make_run()
    app = open_page("results", **query)
    assert not app.exception and not app.error and not headings(app)
    assert len(rows_of_patients(app)) == 3


def test_a_bar_and_a_point_choose_as_a_cell_does(make_run: MakeRun, open_page: OpenPage) -> None:
    """A point may be of another set than the one that is shown."""
    run = make_run()
    app = open_page("results", sure=["80", "wrong"])
    assert (
        headings(app)[0] == "Misclassified with a probability of 80 to 90 %: 3 pictures, 1 patient"
    )
    table = run.predictions()
    picture = table.loc[table["set"] == "train", "picture"].iloc[0]
    app = open_page("results", picture=picture)
    assert headings(app)[0] == "Chosen in the map: 1 picture, 1 patient"
    assert len([button for button in app.button if button.key.startswith("cell_open")]) == 1


def test_where_nobody_knows_the_patients_there_is_no_list_of_them(
    make_run: MakeRun, open_page: OpenPage
) -> None:
    """Each picture was its own patient, a row and a share of 0 or 100 %."""
    run = make_run()
    table = run.predictions()
    write_predictions(table.assign(patient=table["picture"]), run.path / "predictions.csv")
    app = open_page("results")
    assert not app.exception and not rows_of_patients(app) and matrices(app) == 1
    assert "6 of 9 pictures are classified correctly, of patients nobody knows" in body(app)


def test_many_patients_come_in_pages(make_run: MakeRun, open_page: OpenPage) -> None:
    """And a link to a patient opens the page that holds it."""
    run = make_run()
    table = run.predictions()
    table = table.assign(set="test", fold=[str(int(p[-1]) % 3) for p in table["patient"]])
    write_predictions(table, run.path / "predictions.csv")
    app = open_page("results")
    assert len(rows_of_patients(app)) == 10
    last = patient_results(table)["patient"].iloc[-1]
    rows = rows_of_patients(open_page("results", patient=last))
    assert len(rows) == 2 and rows[-1]["pressed"]


def test_a_leaky_figure_is_one_click_from_its_honest_twin(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    make_run()
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    app = open_page("results", run=leaky.id)
    app.button(key="twin").click().run()
    assert not app.exception
    assert app.query_params["view"] in ("twins", ["twins"])
    assert matrices(app) == 2
    assert "where none is. Only the second says anything about a new patient" in body(app)
    assert "none is given" in words(app)
    app.button(key="leave_twins").click().run()
    assert "view" not in app.query_params and matrices(app) == 1


def test_a_leaky_run_without_a_twin_leads_to_training_one(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    app = open_page("results", run=leaky.id, view="twins")
    assert not app.exception and matrices(app) == 1
    assert app.button(key="twin").label == "Train its honest twin, split by patient"


def test_no_honest_twin_is_offered_where_none_can_be_trained(
    tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """Regression: with one patient per class the button led to an error."""
    table = PictureSource(tiny.path).usable()
    kept = set(table.groupby("label")["patient"].first())
    for picture in table.loc[~table["patient"].isin(kept), "picture"]:
        (tiny.path / picture).unlink()
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    app = open_page("results", run=leaky.id)
    assert not app.exception
    assert "twin" not in [button.key for button in app.button]
    said = words(app).replace("\\", "")
    assert "No honest twin can be trained on this data set. Every class has" in said


@pytest.mark.parametrize(
    ("name", "key"),
    [("train", "twin"), ("runs", "twins"), ("split", "leak_twins"), ("results", "twin_1")],
)
def test_every_leaky_figure_leads_to_its_honest_twin(
    name: str, key: str, tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """Regression: Train's own end of a leaky run, the leak meter and a comparison led nowhere."""
    honest = make_run()
    leaky = make_run(split_by_picture(PictureSource(tiny.path).usable()))
    shown = {"run": leaky.id} if name == "train" else {}
    shown = {"run": honest.id, "with": leaky.id} if name == "results" else shown
    app = open_page(name, **shown)
    app.button(key=key).click().run()
    assert not app.exception and app.title[0].value == "How often is it right, and for whom?"
    assert matrices(app) == 2
