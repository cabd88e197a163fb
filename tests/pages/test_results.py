"""The Results page: the figures are those of the library, and a cell leads to its pictures."""

from streamlit.testing.v1 import AppTest

from lymph.data.scan import scan, usable
from lymph.data.sources import DataSet
from lymph.evaluation import report
from lymph.splits import split_by_picture

from .conftest import MakeRun, OpenPage, words


def numbers(app: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in app.metric]


def click(app: AppTest, key: str, true: str, predicted: str) -> AppTest:
    app.session_state[key] = {"selection": {"cell": [{"true": true, "predicted": predicted}]}}
    return app.run()


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
        ("Right, per picture", f"{100 * share:.0f} %"),
        ("Right, per patient", "2 of 3"),
    ]
    said = words(app)
    assert "9 pictures" in said
    assert "95 % interval 9 to 99 %, 3 patients" in said
    assert "split by patient" in said
    assert app.query_params["run"] == run.id


def test_a_cell_shows_the_pictures_behind_it(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results")
    click(app, "confusion_first_test_pictures", "CLL", "FL")
    assert not app.exception
    assert app.subheader[0].value == "CLL called FL: 3 pictures, 1 patient"
    opened = [button for button in app.button if button.key.startswith("cell_open")]
    assert len(opened) == 3
    body = "".join(element.proto.body for element in app.get("html"))
    assert "is CLL, called FL (80 %)" in body


def test_an_empty_cell_says_so(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = click(open_page("results"), "confusion_first_test_pictures", "MCL", "CLL")
    assert "No picture is in this cell" in words(app)


def test_another_set_and_patients_can_be_shown(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results")
    app.button_group(key="set_name").set_value("train").run()
    app.button_group(key="level").set_value("patients").run()
    app.button_group(key="mode").set_value("shares").run()
    assert not app.exception
    assert numbers(app)[1] == ("Right, per patient", "6 of 6")


def test_a_leak_stands_in_red(tiny: DataSet, make_run: MakeRun, open_page: OpenPage) -> None:
    make_run(split_by_picture(usable(scan(tiny.path))))
    app = open_page("results")
    assert app.error[0].value.startswith("**This split leaks.**")


def test_two_runs_stand_side_by_side(make_run: MakeRun, open_page: OpenPage) -> None:
    first, second = make_run(), make_run(seed=1)
    app = open_page("results", run=first.id)
    app.selectbox(key="compare_with").set_value(second.id).run()
    assert not app.exception
    assert len(app.metric) == 4
    assert len(app.get("vega_lite_chart")) == 2 or len(app.get("arrow_vega_lite_chart")) == 2


def test_an_unknown_run_is_said_and_can_be_left(make_run: MakeRun, open_page: OpenPage) -> None:
    make_run()
    app = open_page("results", run="no-such-run")
    assert "no run" in app.error[0].value
    app.button(key="newest_run").click().run()
    assert not app.error


def test_a_run_without_predictions_is_said(make_run: MakeRun, open_page: OpenPage) -> None:
    run = make_run()
    (run.path / "predictions.csv").unlink()
    app = open_page("results")
    assert "no prediction table" in app.error[0].value
