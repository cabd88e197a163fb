"""A class in real browsers: lecturer and student side by side at ``python -m lymph serve``."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lymph.errors import RunError
from lymph.runs import list_runs, stop_run
from tests.layouts import by
from tests.serving import free_port, wait_until_healthy
from tests.waiting import PATIENCE

from .conftest import APP, LONG_PATIENCE_MS, PATIENCE_MS, Line

Enter = Callable[..., Page]
Class = tuple[str, str, Path]


@pytest.fixture(scope="module")
def class_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Serve a class on a small data set as at a terminal; return address, key and workspace."""
    home, root = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("small")
    by("{label}/sj-99-{patient}_{number:03}.png")(root)
    (home / "data").mkdir()
    (home / "data" / "data-sets.json").write_text(json.dumps({"small": str(root)}))
    port = free_port()
    log = (home / "log.txt").open("w")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LYMPH_HOME", str(home))
        server = subprocess.Popen(
            [sys.executable, "-m", "lymph", "serve", "--port", str(port), "--json"],
            cwd=APP.parent,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert server.stdout is not None
    key = json.loads(server.stdout.readline())["key"]
    address = f"http://127.0.0.1:{port}"
    wait_until_healthy(address, server)
    yield address, key, home
    server.terminate()
    server.wait(PATIENCE)


@pytest.fixture(autouse=True)
def no_run_is_left(class_: Class, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop what a test that failed has left training: its second attempt would wait for that."""
    monkeypatch.setenv("LYMPH_HOME", str(class_[2]))
    yield
    for run in list_runs():
        with contextlib.suppress(RunError):  # over already
            stop_run(run)


@pytest.fixture
def enter(browser: Browser, class_: Class) -> Iterator[Enter]:
    """Return a function that opens a page in a browser of its own and gives a name."""
    contexts, outside = [], []

    def come(name: str, page: str, key: str = "") -> Page:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        opened = contexts[-1].new_page()
        local = ("http://127.0.0.1:", "data:", "blob:")
        opened.on("request", lambda r: None if r.url.startswith(local) else outside.append(r.url))
        line = Line(opened)
        opened.goto(f"{class_[0]}/{page}")
        line.settle()  # what is typed before the last run has ended may be drawn anew
        opened.get_by_label("Your name").fill(name)
        if key:
            opened.get_by_label("Lecturer's key").fill(key)
        opened.get_by_role("button", name="Join").click()
        expect(opened.get_by_text("Welcome to the class")).to_be_hidden()
        line.settle()
        return opened

    yield come
    for context in contexts:
        context.close()
    assert not outside, f"requests left this machine: {outside}"


def test_a_student_and_the_lecturer_side_by_side(enter: Enter, class_: Class) -> None:
    """The student's run is the student's; the lecturer finds it by its link and stops it."""
    student = enter("Anna", "train")
    # Long enough that it goes on until the lecturer has come to stop it.
    student.get_by_text("Settings", exact=True).click()
    student.locator(".st-key-epochs_cnn input").fill("500")
    student.locator(".st-key-epochs_cnn input").press("Enter")
    student.get_by_role("button", name="Start training").click()
    expect(student.get_by_role("button", name="Stop")).to_be_visible()
    begun = student.locator(".st-key-run_progress")
    expect(begun).to_contain_text("of 500", timeout=LONG_PATIENCE_MS)
    lecturer = enter("Dr. Meier", "train", class_[1])
    expect(lecturer.locator(".st-key-other_runs")).to_contain_text("Anna · Small CNN")
    expect(lecturer.get_by_role("button", name="Start training")).to_be_visible()
    # The address of a run opens on every device of the class.
    expect(student).to_have_url(re.compile("run="))
    other = enter("Ben", student.url.removeprefix(class_[0] + "/"))
    expect(other.get_by_text("Anna started this; only Anna and the lecturer")).to_be_visible()
    expect(other.get_by_role("button", name="Stop")).to_be_hidden()
    lecturer.goto(student.url)
    lecturer.get_by_role("button", name="Stop").click()
    expect(student.locator(".st-key-run_progress")).to_contain_text("stopped")
    expect(student.get_by_role("button", name="Resume")).to_be_visible()
    # The browser keeps who it is: a new visit is the same visitor.
    student.goto(f"{class_[0]}/train")
    expect(student.locator(".st-key-other_runs")).to_contain_text("yours · Small CNN")
    expect(student.get_by_text("Anna · student")).to_be_visible()


def test_an_address_outlasts_the_question_for_a_name(enter: Enter) -> None:
    """What a link or a QR code named stands there when the name was given."""
    student = enter("Dora", "data?view=Patients")
    expect(student.get_by_text("Does every patient's slide have its own colour?")).to_be_visible()
    expect(student).to_have_url(re.compile("view=Patients"))


def test_a_students_copy_leaves_the_lecturers_data_set_alone(enter: Enter, class_: Class) -> None:
    student = enter("Cleo", "split")
    student.get_by_text("Save and load").click()
    expect(student.get_by_text("What you change goes to a copy of your own")).to_be_visible()
    student.get_by_label("Name of this split").fill("mine")
    student.get_by_role("button", name="Save the split").click()
    expect(student.get_by_text("Your change is in a copy of your own")).to_be_visible()
    expect(student.get_by_text("A saved split")).to_be_visible()
    expect(student).to_have_url(re.compile(r"data=small(,|%2C)\+Cleo"))
    lecturer = enter("Dr. Meier", "split", class_[1])
    expect(lecturer.get_by_text("By patient").first).to_be_visible()
    expect(lecturer.get_by_text("A saved split")).to_be_hidden()
    lecturer.get_by_role("button", name="Invite the class").click()
    expect(lecturer.get_by_role("dialog").locator("img")).to_be_visible()


def test_phones_vote_and_the_projector_shows_the_bars(
    browser: Browser, enter: Enter, class_: Class
) -> None:
    """Two phones guess without giving a name, one changes its mind, a reload keeps the guess."""
    projector = enter("Dr. Meier", "lessons?lesson=leak&slide=2&stage=1", class_[1])
    contexts = [browser.new_context(viewport={"width": 390, "height": 844}) for _ in range(2)]
    phones = [context.new_page() for context in contexts]
    for context in contexts:
        context.set_default_timeout(PATIENCE_MS)
    for phone in phones:
        phone.goto(f"{class_[0]}/vote")
        expect(phone.get_by_text("The vote has not begun")).to_be_visible()
    projector.get_by_role("button", name="Ask the class").click()
    expect(projector.get_by_role("img", name="QR code")).to_be_visible()
    expect(projector.locator(".lymph-vote-bars")).to_have_count(0)
    for phone, answer in zip(phones, ("A", "C"), strict=True):
        expect(phone.get_by_test_id("stSidebar")).to_be_hidden()
        expect(phone.get_by_role("heading", level=1)).to_contain_text("which accuracy")
        phone.get_by_role("button", name=re.compile(f"^{answer} ")).click()
        expect(phone.get_by_text(f"You guessed {answer}.")).to_be_visible()
    phones[0].get_by_role("button", name=re.compile("^B ")).click()
    expect(phones[0].get_by_text("You guessed B.")).to_be_visible()
    expect(projector.locator(".lymph-vote-count")).to_contain_text("2 guesses")
    phones[0].reload()
    expect(phones[0].get_by_text("You guessed B.")).to_be_visible()
    projector.get_by_role("button", name="Close and show the bars").click()
    for screen in (projector, *phones):
        counts = screen.locator(".lymph-vote-bars .count")
        expect(counts).to_have_text(["0 0 %", "1 50 %", "1 50 %"])
    for context in contexts:
        context.close()
