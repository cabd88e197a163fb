"""What leaves the app: tables, charts, the report, the model, the code. Knows no pages."""

from lymph.reports.card import card_markdown, model_card
from lymph.reports.charts import charts_zip, run_charts
from lymph.reports.code import code_of
from lymph.reports.document import report_html
from lymph.reports.model import export_model
from lymph.reports.tables import (
    beside_table,
    calibration_table,
    chance_text,
    classes_table,
    curve_text,
    lettered_percent,
    marked_predictions,
    measures_table,
    method_text,
    others_chart_table,
    predictions_csv,
    published_table,
    run_row,
    split_text,
    verdict_text,
)

__all__ = [
    "beside_table",
    "calibration_table",
    "card_markdown",
    "chance_text",
    "charts_zip",
    "classes_table",
    "code_of",
    "curve_text",
    "export_model",
    "lettered_percent",
    "marked_predictions",
    "measures_table",
    "method_text",
    "model_card",
    "others_chart_table",
    "predictions_csv",
    "published_table",
    "report_html",
    "run_charts",
    "run_row",
    "split_text",
    "verdict_text",
]
