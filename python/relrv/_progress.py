"""How far the work is: a bar of tqdm, or a function of the caller's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[int, int], object]
Progress = bool | Tell


@contextmanager
def telling(progress: Progress, unit: str) -> Iterator[Tell | None]:
    """Give what is called with the numbers of what is done and of what there is; None where nobody wants to know."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield None
        return
    try:
        # A notebook's bar in a notebook, a plain one elsewhere.
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install relrv[progress]") from error
    with tqdm(unit=f" {unit}") as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell
