"""The lymph app: ``streamlit run app.py``. Navigation and the sidebar that every page shares."""

import streamlit as st

from pages.shared import navigation, sidebar

st.set_page_config(page_title="lymph", page_icon="🔬", layout="wide")

page = navigation.choose_page()
sidebar.ensure_data()
sidebar.choose_data_set()
page.run()
sidebar.show_steps()
