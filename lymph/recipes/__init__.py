"""Which recipe to believe: whole recipes over the same folds, with patients apart and at random.

One job measures every recipe on both kinds of folds, cell by cell, and goes on where it was
stopped or killed. torch is needed by its process alone.
"""

from lymph.recipes.comparison import Comparison, ComparisonConfig, make_config
from lymph.recipes.estimate import default_recipes, estimate_recipes
from lymph.recipes.job import (
    compare_here,
    list_comparisons,
    resume_comparison,
    start_comparison,
    stop_comparison,
)
from lymph.recipes.recipe import RECIPES, recipe_title, recipes_here, training_of
from lymph.recipes.table import Row, as_csv, as_json, best_of, best_words, rows_of

__all__ = [
    "RECIPES",
    "Comparison",
    "ComparisonConfig",
    "Row",
    "as_csv",
    "as_json",
    "best_of",
    "best_words",
    "compare_here",
    "default_recipes",
    "estimate_recipes",
    "list_comparisons",
    "make_config",
    "recipe_title",
    "recipes_here",
    "resume_comparison",
    "rows_of",
    "start_comparison",
    "stop_comparison",
    "training_of",
]
