"""Picture tables as the items of a gallery, made only for the page that is shown."""

from collections.abc import Sequence

import pandas as pd

from pages.shared.galleries import Item


class Rows(Sequence):
    """The rows of a picture table as gallery items; a hundred thousand of them cost nothing."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table.reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, place):  # noqa: ANN001 - int or slice, as Sequence has it
        if isinstance(place, slice):
            return [_item(row) for row in self.table.iloc[place].itertuples()]
        return _item(self.table.iloc[place])

    def name_of(self, item: Item) -> int:
        """Return where an item stands."""
        return int((self.table["picture"] == item.picture).to_numpy().argmax())


def _item(row) -> Item:  # noqa: ANN001 - a row, as tuple or series
    return Item(row.picture, row.label, f"patient {row.patient}" if row.patient else "")
