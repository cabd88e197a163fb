"""What people say of a run is kept; deleting takes the run and nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lymph.errors import RunError
from lymph.jobs.status import write_status
from lymph.runs import (
    About,
    Run,
    create_run,
    delete_run,
    list_runs,
    open_run,
    read_about,
    write_about,
)

NewRun = Callable[..., Run]


@pytest.fixture
def over(new_run: NewRun) -> Run:
    """Return a run that was stopped before it began."""
    run = new_run()
    write_status(run.path, replace(run.status(), state="stopped"))
    return run


def test_a_run_has_no_name_at_first(over: Run) -> None:
    assert read_about(over) == About("", "", False)


def test_name_note_and_place_are_kept(over: Run) -> None:
    said = About("Sønderjylland, Ω", "first try\nsecond line", True)
    write_about(over, said)
    assert read_about(open_run(over.id)) == said


@pytest.mark.parametrize("content", ["", "[]", "{", '{"archived": "maybe", "name": null}'])
def test_a_damaged_file_says_nothing(over: Run, content: str) -> None:
    (over.path / "about.json").write_text(content)
    assert read_about(over).archived is False


def test_too_long_a_name_is_a_plain_error(over: Run) -> None:
    with pytest.raises(RunError, match="120"):
        write_about(over, About("x" * 121))


def test_a_deleted_run_is_gone(over: Run) -> None:
    write_about(over, About("gone"))
    (over.path / "folds" / "1").mkdir(parents=True)
    (over.path / "folds" / "1" / "best.pt").write_bytes(b"x")
    assert delete_run(over) == []
    assert not over.path.exists()
    assert list_runs() == []


def test_other_files_in_its_folder_stay(over: Run) -> None:
    (over.path / "thesis.docx").write_text("mine")
    assert delete_run(over) == ["thesis.docx"]
    assert (over.path / "thesis.docx").read_text() == "mine"
    assert list_runs() == []


def test_a_run_that_goes_on_is_not_deleted(new_run: NewRun) -> None:
    run = new_run()
    with pytest.raises(RunError, match="stop it first"):
        delete_run(run)
    assert run.path.is_dir()


def test_a_run_elsewhere_is_forgotten_too(over: Run, tmp_path) -> None:  # noqa: ANN001
    outside = create_run(over.config, over.split(), tmp_path / "outside")
    write_status(outside.path, replace(outside.status(), state="stopped"))
    assert len(list_runs()) == 2
    delete_run(outside)
    assert [run.id for run in list_runs()] == [over.id]
    assert not outside.path.exists()
