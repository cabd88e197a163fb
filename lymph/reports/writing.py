"""HTML of the report and of charts: the templates beside this file, which escape by themselves."""

from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lymph.evaluation import figure_text

TEMPLATES = Path(__file__).with_name("templates")


def write(template: str, **values: object) -> Markup:
    """Fill in a template; every text in it is escaped unless it is HTML already.

    Parameters
    ----------
    template : str
        The file's name in ``templates``.
    values
        What the template names; one that is missing raises.
    """
    return Markup(_environment().get_template(template).render(values))


def table_html(table: pd.DataFrame) -> Markup:
    """Write a table as HTML, its numbers with two decimals; pandas escapes what is in it."""
    body = table.to_html(
        index=False, border=0, classes="plain", float_format=figure_text, na_rep="–"
    )
    return Markup(body)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
