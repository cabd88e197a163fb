"""The audit of a published split on the Split page: lists in, and who is on both sides."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lymph.data.tables import MAX_BYTES
from lymph.errors import LymphError
from lymph.splits import Audit, audit_lists, read_published
from lymph.splits.audit import COLUMNS
from pages.shared.drops import content_of
from pages.shared.frame import plain, show_error

Files = tuple[tuple[str, bytes], ...]

LARGEST_MB = MAX_BYTES // 1_000_000


def show_audit() -> None:
    """Draw the drawer: two uploaders, and what was found."""
    with st.expander("Audit a published split", key="audit"):
        st.write(
            "Which patients both train and test? Lists of file names are enough, no pictures: one"
            " name per line, a table (CSV) or a split.json; one file per fold where there are"
            " several (train_1, test_1, and so on). One table with a column of sets may stand"
            " alone."
        )
        left, right = st.columns(2)
        with left:
            train = upload_lists("Training lists", "audit_train")
        with right:
            test = upload_lists("Test lists", "audit_test")
        pattern = st.text_input(
            "Pattern that reads the patient from a name",
            placeholder="empty: the ready pattern that fits best",
            key="audit_pattern",
        )
        if not train and not test:
            return
        try:
            show_found(audited(contents(train), contents(test), pattern.strip()))
        except LymphError as error:
            # The other side's lists are often just about to come.
            show_error(error) if train and test else st.info(plain(str(error)))


def upload_lists(label: str, key: str) -> list[UploadedFile]:
    return st.file_uploader(label, key=key, accept_multiple_files=True, max_upload_size=LARGEST_MB)


def contents(uploads: Sequence[UploadedFile]) -> Files:
    return tuple((upload.name, content_of(upload)) for upload in uploads)


@st.cache_data(show_spinner="Comparing the lists", max_entries=4)
def audited(train: Files, test: Files, pattern: str) -> Audit:
    own, other = ([read_published(content, name) for name, content in s] for s in (train, test))
    return audit_lists(own, other, pattern)


def show_found(audit: Audit) -> None:
    with st.container(key="audit_found"):
        if audit.leaks:
            st.error(f"### {plain(audit.sentence)}")
            st.write(plain(audit.remedy))
        else:
            st.success(f"### {plain(audit.sentence)}")
        for doubt in audit.doubts:
            st.warning(plain(doubt))
        if audit.pattern:
            st.caption(f"Patients were read from the names by the pattern {plain(audit.pattern)}")
        table = audit.table_shown
        if len(table):
            st.markdown("**Patients on both sides**")
            st.dataframe(table.rename(columns=COLUMNS), hide_index=True, key="audit_table")
