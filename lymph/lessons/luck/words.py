"""The words of the lesson on luck."""

from statistics import stdev

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, points
from lymph.text import counted
from lymph.text import whole_percent as percent

# Of so few trainings standard deviations differ by chance: this many times as large is larger.
CLEARLY = 1.5

LESSON = Lesson(
    slug="luck",
    title="Is 51 % better than 45 %?",
    question="The same model, fifteen times. By how much will its accuracy vary?",
    story=(
        "The notebook compares models on six test patients: 50.77 % here, 45 % there, 35 % in a"
        " third cell. The better figure wins.\n\nWe train one and the same network ten times on"
        " one split, changing nothing but the seed, and then on other patient splits."
    ),
    choices=(
        "By 2 points at most: it is the same model",
        "By 3 to 10 points",
        "By more than 10 points",
    ),
    task="Fifteen short trainings: ten seeds on one split, then five more splits.",
    because=(
        "A seed changes the initial weights and the order of the pictures; a split changes who"
        " is tested. With six test patients, one patient more or less is 17 points. To tell"
        " 51 % from 45 %, each of two models needs over a thousand patients of its own."
    ),
    takeaway=(
        "One figure from one seed and six patients says almost nothing. Show the spread, judge"
        " over all patients out of fold, and let the interval speak before the winner does."
    ),
    source="Bouthillier et al. 2021: accounting for variance in machine learning benchmarks",
    source_address="https://arxiv.org/abs/2103.03098",
    terms=("seed", "split", "interval", "out of fold", "test set", "accuracy"),
    seconds=35,
)


def find(figures: Figures) -> Finding:
    """Tell how far the accuracies spread."""
    seeds = [attempt["test"]["accuracy"] for attempt in figures["seeds"]]
    splits = [attempt["test"]["accuracy"] for attempt in figures["splits"]]
    spread = points(max(*seeds, *splits), min(*seeds, *splits))
    first = figures["seeds"][0]["test"]
    low, high = figures["notebook_interval"]
    numbers = [
        Number(
            f"{len(seeds)} seeds, one split",
            f"{100 * min(seeds):.0f} to {percent(max(seeds))}",
            f"test accuracy, {first['pictures']} pictures of {first['patients']} patients",
        ),
        Number(
            f"{len(splits)} patient splits, one seed",
            f"{100 * min(splits):.0f} to {percent(max(splits))}",
            "test accuracy, other test patients each time",
        ),
        Number(
            "Patients to tell 51 % from 45 %",
            f"{figures['needed_for_notebook']:,}",
            f"for each model; here are {figures['patients']} in all",
        ),
    ]
    by_seed, by_split = (stdev(accuracies) for accuracies in (seeds, splits))
    apart = (
        f"standard deviation {counted(round(100 * by_split), 'point')} between splits,"
        f" {100 * by_seed:.0f} between seeds"
    )
    if by_split > CLEARLY * by_seed:
        which = f"Who is tested matters more here than the seed ({apart})."
    elif by_seed > CLEARLY * by_split:
        which = f"The seed matters more here than who is tested ({apart})."
    else:
        which = f"The seed and who is tested matter about as much here ({apart})."
    sentence = (
        f"One and the same model varies by {counted(spread, 'point')}, with nothing changed but the"
        f" seed and the test patients. {which} Three of six patients right is 50 %, with a 95 %"
        f" interval from {100 * low:.0f} to {percent(high)}."
    )
    return Finding(numbers, sentence, 0 if spread <= 2 else 1 if spread <= 10 else 2)
