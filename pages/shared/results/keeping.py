"""What can be kept of a run: its predictions, charts, report, model, and the code behind it."""

from collections.abc import Callable

import streamlit as st

from lymph import reports
from lymph.errors import LymphError
from pages.shared.frame import plain
from pages.shared.judging import Judged, base_of
from pages.shared.results.choosing import Chosen


def show_downloads(judged: Judged, chosen: Chosen) -> None:
    """Offer everything that can be kept of a run; files are made when they are asked for."""
    st.caption(base_of(judged))
    run, stem = judged.run, judged.run.path.name
    offer(
        "Report",
        "Everything on this page in one file that opens without a network.",
        lambda: reports.report_html(run, judged.set_name).encode(),
        f"{stem}-report.html",
        "text/html",
    )
    offer(
        "Model card",
        "TRIPOD+AI, CLAIM and the model info sheet, as far as the run knows; fill in the rest.",
        lambda: reports.card_markdown(run, judged.report).encode(),
        f"{stem}-model-card.md",
        "text/markdown",
    )
    offer(
        "Predictions",
        "One row per picture: what it is, what the model says, and how sure it is.",
        lambda: reports.predictions_csv(run).encode(),
        f"{stem}-predictions.csv",
        "text/csv",
    )
    offer(
        "Charts",
        "Every chart and matrix as a page of its own; the camera there keeps a chart as SVG, for a"
        " paper. The camera of a chart on this page keeps a PNG.",
        lambda: reports.charts_zip(run, judged.report),
        f"{stem}-charts.zip",
        "application/zip",
    )
    if run.split().folds is None:
        offer(
            "Model",
            "The trained model with a few lines that load it without this app.",
            lambda: reports.export_model(run, judged.set_name),
            f"{stem}-model.zip",
            "application/zip",
        )
    show_code(judged, stem)


def offer(title: str, words: str, make: Callable[[], bytes], file_name: str, mime: str) -> None:
    """Draw one line: what it is, and the button that makes and hands it out."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"keep_{_key(title)}"):
        st.download_button(
            title,
            make,
            file_name,
            mime,
            key=f"download_{_key(title)}",
            on_click="ignore",
            width=140,
        )
        st.write(words)


def _key(title: str) -> str:
    return title.lower().replace(" ", "_")


def show_code(judged: Judged, stem: str) -> None:
    """Show the script that repeats the run."""
    try:
        code = reports.code_of(judged.run, judged.set_name)
    except LymphError as error:
        st.error(plain(str(error)))
        return
    offer(
        "Code",
        "The code behind this: a script that repeats the run and compares the figures.",
        code.encode,
        f"{stem}-repeat_run.py",
        "text/x-python",
    )
    with st.expander("Show the code", key="code_behind"):
        st.code(code, language="python")
