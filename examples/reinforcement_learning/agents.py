"""Two agents: they choose one of several actions by the state, and learn from what comes of it."""

import copy

import numpy as np

import tallow
from tallow import nn
from tallow.distributions import Categorical
from tallow.optim import Adam


def network(inputs, outputs, width):
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, outputs),
    )  # fmt: skip


class Reinforce:
    """Policy gradients: what led to more than usual becomes likelier.

    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
    learning", 1992. It learns after every `batch` episodes; usual is the mean of their steps.
    """

    def __init__(self, inputs, actions, lr=5e-3, discount=0.99, batch=4):
        self.model = network(inputs, actions, 64)
        self.optimizer = Adam(self.model.parameters(), lr)
        self.discount = discount
        self.batch = batch
        self.episode, self.finished = [], []

    def act(self, state, learning):
        with tallow.no_grad():
            scores = self.model(state)
        return (Categorical(logits=scores).sample() if learning else scores.argmax()).item()

    def learn(self, state, action, reward, after, fallen):
        self.episode.append((state, action, reward))

    def end_episode(self):
        """Keep the episode, with the discounted sum of rewards from each step on."""
        states, actions, rewards = zip(*self.episode, strict=True)
        self.episode = []
        returns, total = [], 0.0
        for reward in reversed(rewards):
            total = reward + self.discount * total
            returns.append(total)
        returns = tallow.tensor(returns[::-1])
        self.finished.append((tallow.tensor(np.array(states)), tallow.tensor(actions), returns))
        if len(self.finished) == self.batch:
            self._update()

    def _update(self):
        states, actions, returns = map(tallow.cat, zip(*self.finished, strict=True))
        self.finished = []
        advantage = (returns - returns.mean()) / (returns.std() + 1e-6)
        likelihood = Categorical(logits=self.model(states)).log_prob(actions)
        loss = -(likelihood * advantage).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class DQN:
    """Deep Q-learning: scores are what each action will bring, learnt from remembered steps.

    Mnih et al., "Human-level control through deep reinforcement learning", 2015. It learns at every
    second step, towards what a copy of itself expects that follows it slowly; the network chooses
    the action whose value the copy gives (van Hasselt et al., "Deep reinforcement learning with
    double Q-learning", 2016).
    """

    def __init__(
        self, inputs, actions, lr=5e-4, discount=0.99, memory=100_000, batch=64, follow=0.01
    ):
        self.model = network(inputs, actions, 256)
        self.copy = copy.deepcopy(self.model)
        self.optimizer = Adam(self.model.parameters(), lr)
        self.discount, self.batch, self.follow, self.actions = discount, batch, follow, actions
        self.steps = 0
        kinds = [((inputs,), np.float32), ((), np.int64), ((), np.float32), ((inputs,), np.float32),
                 ((), np.float32)]  # fmt: skip
        self.memory = [tallow.from_numpy(np.zeros((memory, *shape), t)) for shape, t in kinds]

    def act(self, state, learning):
        """The best action; while it learns often, and later at times, any."""
        chance = max(0.04, 1 - self.steps / 8000)
        if learning and tallow.rand(()).item() < chance:
            return tallow.randint(self.actions, ()).item()
        with tallow.no_grad():
            return self.model(state).argmax().item()

    def learn(self, state, action, reward, after, fallen):
        place = self.steps % len(self.memory[0])
        for column, value in zip(self.memory, (state, action, reward, after, fallen), strict=True):
            column.numpy()[place] = value
        self.steps += 1
        if self.steps >= 1000 and self.steps % 2 == 0:
            self._update()

    def _update(self):
        known = min(self.steps, len(self.memory[0]))
        drawn = tallow.randint(known, (self.batch,))
        state, action, reward, after, fallen = (column[drawn] for column in self.memory)
        with tallow.no_grad():
            best = self.model(after).argmax(1, keepdim=True)
            future = self.copy(after).gather(1, best)[:, 0]
            target = reward + self.discount * future * (1 - fallen)
        value = self.model(state).gather(1, action[:, None])[:, 0]
        loss = nn.functional.smooth_l1_loss(value, target)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimizer.step()
        with tallow.no_grad():
            for slow, fast in zip(self.copy.parameters(), self.model.parameters(), strict=True):
                slow.lerp_(fast, self.follow)

    def end_episode(self):
        """It learns within episodes."""


AGENTS = {"reinforce": Reinforce, "dqn": DQN}
