"""What the live view asks the server for: only what a page handed out, only what has moved."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import Response

from lymph.jobs.status import write_status
from lymph.runs import Run
from lymph.training.validation import Answering
from pages.shared.train import ways
from pages.shared.train.route import addresses, live, picture

from .conftest import MakeRun


def ask(address: str, more: str = "") -> Request:
    query = (urlsplit(address).query + more).encode()
    return Request({"type": "http", "method": "GET", "query_string": query, "headers": []})


def content(response: Response) -> dict:
    assert response.status_code == 200
    return json.loads(bytes(response.body))


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    """Return a run that got two of three validation pictures wrong."""
    made = make_run()
    sets = made.split().assign(made.config.source.usable())
    pictures = list(made.config.source.usable()["picture"][sets == "val"])[:3]
    answering = Answering.of(pictures, np.array([0, 0, 1]), 3, epochs=2)
    answering.rows = {1: np.array([1, 1, 1], np.uint8), 2: np.array([0, 2, 2], np.uint8)}
    answering.write(made.path)
    return made


def test_only_the_ticket_of_a_page_opens_a_run(run: Run) -> None:
    """A run's address is easy to guess; in a class its pictures may be somebody's own."""
    own = addresses(run)["live"]
    assert live(ask(own)).status_code == 200
    ticket = parse_qs(urlsplit(own).query)["ticket"][0]
    for wrong in ("", "x", "ü" * 9, ticket[:-1], ticket + "0"):
        assert live(ask(own.replace(ticket, wrong))).status_code == 403
        assert picture(ask(own.replace(ticket, wrong) + "&n=0")).status_code == 403
    assert live(ask(own.replace(f"run={run.id}", "run=other"))).status_code == 403


def test_curves_come_only_when_they_have_moved(run: Run) -> None:
    """An open page costs the run a few numbers a second, not a chart."""
    first = content(live(ask(addresses(run)["live"])))
    assert first["body"]["points"]["epoch"] == [1, 2]
    seen = f"&seen={first['head']['body'].replace(' ', '+')}"
    assert "body" not in content(live(ask(addresses(run)["live"], seen)))
    write_status(run.path, replace(run.status(), epoch=1))
    moved = content(live(ask(addresses(run)["live"], seen)))
    assert moved["body"]["points"]["epoch"] == [1] and "epoch 1 of 2" in moved["head"]["words"]


def test_the_matrix_of_every_epoch_can_be_looked_at(run: Run) -> None:
    last, early = (
        content(live(ask(addresses(run)["live"], more)))["body"]["view"] for more in ("", "&at=1")
    )
    assert last["epoch"] == 2 and last["epochs"] == [1, 2] and early["epoch"] == 1
    assert [(one["n"], one["is"], one["said"]) for one in last["wrong"]] == [
        (1, "CLL", "MCL"),
        (2, "FL", "MCL"),
    ]
    assert "is CLL, called FL: 2 validation pictures" in early["matrix"]
    # What nobody can look at is answered with what there is.
    for strange in ("&at=99", "&at=-1", "&at=x", "&at=" + "9" * 99):
        assert content(live(ask(addresses(run)["live"], strange)))["body"]["view"]["epoch"] == 2


def test_its_pictures_are_served_and_no_others(run: Run) -> None:
    address = addresses(run)["picture"]
    assert picture(ask(address, "&n=2")).media_type == "image/jpeg"
    assert picture(ask(address, "&n=3")).status_code == 404


def test_a_damaged_run_is_said(run: Run) -> None:
    (run.path / "metrics.csv").write_text("x")
    answer = live(ask(addresses(run)["live"]))
    assert answer.status_code == 404 and b"metrics.csv" in bytes(answer.body)


@pytest.mark.parametrize(
    ("times", "here", "pictures", "first"),
    [
        ((20.0, 50.0), True, 374, "linear-probe"),
        ((20.0, 50.0), False, 374, "cnn"),
        ((900.0, 50.0), True, 374, "cnn"),
        ((900.0, 4000.0), True, 374, "linear-probe"),
        ((None, None), True, 374, "linear-probe"),
        ((None, None), True, 20_000, "linear-probe"),
        ((None, 50.0), True, 20_000, "cnn"),
        ((None, None), False, 20_000, "cnn"),
    ],
)
def test_what_is_offered_first_begins_at_once_and_ends_soon(
    times: tuple[float | None, float | None], here: bool, pictures: int, first: str
) -> None:
    """On a laptop the first press must not take ten minutes, nor begin with a download."""
    known = {"linear-probe": times[0], "cnn": times[1], "resnet50": 1.0}
    assert ways.default_way(known, here, pictures) == first
