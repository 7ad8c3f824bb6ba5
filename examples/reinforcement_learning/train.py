"""Learn to balance a pole on a cart, by REINFORCE or by deep Q-learning.

    python train.py                                 policy gradients
    python train.py --algorithm dqn

CartPole gives a reward of 1 a step until the pole falls, 500 at most (Barto, Sutton and Anderson,
1983). Training ends when the mean of the last 100 returns is above --goal, or after --episodes; 100
more episodes are then played without learning. Needs gymnasium. Written to --out: the checkpoint
model.safetensors, and returns.png, the return of each episode.
"""

import argparse
import copy
from pathlib import Path

import agents
import gymnasium
import matplotlib

import tallow
from tallow.utils.progress import progress

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--algorithm", choices=list(agents.AGENTS), default="reinforce")
    parser.add_argument("--episodes", type=int, default=1500, help="at most")
    parser.add_argument("--goal", type=float, default=400, help="mean return to stop at")
    parser.add_argument("--test-episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/cartpole"))
    return parser.parse_args()


def play(env, agent, seed, learning):
    """One episode; returns the sum of its rewards."""
    state, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        action = agent.act(tallow.from_numpy(state), learning)
        after, reward, fallen, cut_off, _ = env.step(action)
        if learning:
            agent.learn(state, action, reward, after, fallen)
        state, over = after, fallen or cut_off
        total += reward
    if learning:
        agent.end_episode()
    return total


def train(env, agent, options):
    """Play until the goal is reached; returns the return of each episode.

    The agent is left with the weights that gave the highest mean over 20 episodes.
    """
    returns, best, kept = [], 0.0, None
    bar = progress(range(options.episodes), "training", unit="episode")
    for episode in bar:
        returns.append(play(env, agent, options.seed * 100_000 + episode, True))
        recent = returns[-100:]
        mean = sum(recent) / len(recent)
        if sum(recent[-20:]) / 20 > best:
            best, kept = sum(recent[-20:]) / 20, copy.deepcopy(agent.model.state_dict())
        bar.set_postfix(mean=f"{mean:.1f}")
        if len(recent) == 100 and mean >= options.goal:
            break
    agent.model.load_state_dict(kept)
    return returns


def draw(returns, path):
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    axis.plot(returns, ".", markersize=3, color="gray", label="return")
    recent = [returns[max(0, n - 99) : n + 1] for n in range(len(returns))]
    means = [sum(part) / len(part) for part in recent]
    axis.plot(means, color="tab:red", label="mean of the last 100")
    axis.set(xlabel="episode", ylabel="steps until the pole fell", ylim=(0, None))
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    options = parse_arguments()
    tallow.manual_seed(options.seed)
    env = gymnasium.make("CartPole-v1")
    agent = agents.AGENTS[options.algorithm](env.observation_space.shape[0], env.action_space.n)
    returns = train(env, agent, options)

    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(agent.model.state_dict(), options.out / "model.safetensors")
    draw(returns, options.out / "returns.png")
    seeds = range(10**6, 10**6 + options.test_episodes)
    tested = [play(env, agent, seed, False) for seed in progress(seeds, "testing", unit="episode")]
    print(f"{len(returns)} episodes of training")
    print(f"mean return over {len(tested)} more episodes: {sum(tested) / len(tested):.1f}")
    print(f"written: {options.out / 'returns.png'}")


if __name__ == "__main__":
    main()
