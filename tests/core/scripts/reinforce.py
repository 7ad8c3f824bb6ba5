"""REINFORCE and a DQN step in shape: distributions, a replay memory, a target network, spawn."""

import argparse
import random
from collections import deque, namedtuple
from itertools import count

import torch
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical, Normal

Transition = namedtuple('Transition', ('state', 'action', 'next_state', 'reward'))


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1, self.dropout = nn.Linear(3, 16), nn.Dropout(p=0.2)
        self.affine2 = nn.Linear(16, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.affine2(x), dim=1)


class ReplayMemory(object):
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


def share(rank, out):
    torch.manual_seed(rank)
    torch.save(Policy().state_dict(), '%s.%d' % (out, rank))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--out')
    args = parser.parse_args()
    torch.manual_seed(543)
    random.seed(543)
    policy, memory = Policy(), ReplayMemory(50)
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    eps = torch.finfo(torch.float32).eps
    for episode in range(3):
        state = torch.randn(1, 3)
        for t in count(1):
            m = Categorical(policy(state))
            action = m.sample()
            policy.saved_log_probs.append(m.log_prob(action))
            following = state * 0.9 + Normal(0.0, 0.1).sample((1, 3))
            reward = float(following.sum()) * (1 if action.item() else -1)
            policy.rewards.append(reward)
            memory.push(state, action.view(1, 1), following, torch.tensor([reward]))
            state = following
            if t == 8:
                break
        R, returns = 0, deque()
        for r in policy.rewards[::-1]:
            R = r + 0.99 * R
            returns.appendleft(R)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + eps)
        policy_loss = torch.cat([-p * R for p, R in zip(policy.saved_log_probs, returns)]).sum()
        optimizer.zero_grad()
        policy_loss.backward()
        optimizer.step()
        del policy.rewards[:], policy.saved_log_probs[:]
        print('Episode {}\tlast reward: {:.3f}\tloss: {:.3f}'.format(episode, reward, policy_loss.item()))

    net, target = (nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(2))
    target.load_state_dict(net.state_dict())
    optimizer = optim.RMSprop(net.parameters())
    for _ in range(3):
        batch = Transition(*zip(*memory.sample(8)))
        state_batch, action_batch = torch.cat(batch.state), torch.cat(batch.action)
        values = net(state_batch).gather(1, action_batch)
        with torch.no_grad():
            next_values = target(torch.cat(batch.next_state)).max(1).values
        loss = nn.SmoothL1Loss()(values, (next_values * 0.9 + torch.cat(batch.reward)).unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), 100)
        optimizer.step()
        kept = target.state_dict()
        for key, value in net.state_dict().items():
            kept[key] = value * 0.005 + kept[key] * 0.995
        target.load_state_dict(kept)
        print('%.4f' % loss.item())
    mp.spawn(share, args=(args.out,), nprocs=2, join=True)
    print([torch.load('%s.%d' % (args.out, rank))['affine2.bias'].sum().item() for rank in range(2)])


if __name__ == '__main__':
    main()
