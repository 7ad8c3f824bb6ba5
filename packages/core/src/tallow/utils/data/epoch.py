"""One pass over a DataLoader's batches."""

from tallow.utils.data.fetch import End, fetcher
from tallow.utils.data.sampler import draw_seed


class Epoch:
    """An iterator over the batches of one epoch. Its seed is drawn before the sampler's."""

    def __init__(self, loader):
        self.loader = loader
        self.seed = draw_seed(loader.generator)
        self.tasks = enumerate(loader.index_sampler)  # (number, indices) of each batch

    def __iter__(self):
        return self

    def __len__(self):
        return len(self.loader)


class SerialEpoch(Epoch):
    """Makes each batch when it is asked for."""

    def __init__(self, loader):
        super().__init__(loader)
        self.fetch = fetcher(loader.dataset, loader.settings, self.seed)

    def __next__(self):
        number, indices = next(self.tasks)
        try:
            return self.fetch(number, indices)
        except End:
            self.tasks = iter(())
            raise StopIteration from None
