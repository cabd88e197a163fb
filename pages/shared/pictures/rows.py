"""Picture tables as the items of a gallery, made only for the page that is shown."""

from collections.abc import Sequence
from typing import Any, overload

import pandas as pd

from pages.shared.pictures.galleries import Item


class Rows(Sequence[Item]):
    """The rows of a picture table as gallery items; a hundred thousand of them cost nothing."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table.reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...

    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        if isinstance(place, slice):
            return [_item(row) for row in self.table.iloc[place].itertuples()]
        return _item(self.table.iloc[place])

    def name_of(self, item: Item) -> int:
        """Return where an item stands."""
        return int((self.table["picture"] == item.picture).to_numpy().argmax())


def _item(row: Any) -> Item:
    return Item(row.picture, row.label, f"patient {row.patient}" if row.patient else "")
