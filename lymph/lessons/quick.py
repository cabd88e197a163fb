"""What the quick lessons share: a few colour numbers of each picture, and a linear model on them.

No network is trained here, so that a lesson takes seconds and its question can be asked of hundreds
of tests.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lymph.data.measure import colour_statistics
from lymph.data.stain import optical_density
from lymph.errors import SplitError
from lymph.lessons.data import LessonData
from lymph.lessons.practice import SIDE
from lymph.splits import Split


def colour_numbers(data: LessonData) -> np.ndarray:
    """Return 18 numbers on the colours of every picture, N x 18; nothing of shapes."""
    pixels = data.pixels(SIDE, grey=False)
    return np.array([colour_statistics(optical_density(p).reshape(-1, 3)) for p in pixels])


def out_of_fold(data: LessonData, features: np.ndarray, folds: Split) -> np.ndarray:
    """Return probabilities, N x K, of a linear model that has not seen the picture's fold."""
    homes = folds.assign(data.table).to_numpy(str)
    probabilities = np.zeros((len(features), len(data.classes)))
    for home in np.unique(homes):
        test = homes == home
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        model.fit(features[~test], data.labels[~test])
        probabilities[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return probabilities


def need_patients(data: LessonData, each: int) -> None:
    """Refuse pictures on which a lesson about patients can show nothing.

    Raises
    ------
    SplitError
        When no patient has two pictures, as where the patients are unknown, or a class has fewer
        than ``each`` patients.
    """
    if data.table["patient"].nunique() == len(data.table):
        raise SplitError(
            "This lesson needs patients with several pictures, and here every picture counts as a"
            " patient of its own. Say on the Data page what tells the patients, or choose another"
            " data set."
        )
    patients = data.table.groupby("label")["patient"].nunique()
    if patients.min() < each:
        raise SplitError(
            f"{patients.idxmin()} has too few patients for this lesson: each class needs {each}."
            " Choose another data set."
        )
