"""The lymph app: ``streamlit run app.py``. Navigation and the sidebar that every page shares."""

from pages.shared import navigation, sidebar

page = navigation.choose_page()
sidebar.ensure_data()
sidebar.choose_data_set()
page.run()
sidebar.show_steps()
