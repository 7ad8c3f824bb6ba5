"""A line search for the strong Wolfe conditions, as L-BFGS needs it."""

from math import sqrt

ENOUGH = 1e-4  # of the decrease that the slope promises
FLAT = 0.9  # of the slope at the start
SHORT = 1e-9  # an interval that changes no element by more than this is not searched


class Point:
    """A place on the line: how far, the loss, the gradient, and the slope along the line."""

    def __init__(self, t, loss, gradient, slope):
        self.t = t
        self.loss = loss
        self.gradient = gradient
        self.slope = slope


def strong_wolfe(at, t, d, loss, gradient, slope, max_calls):
    """Find t such that the loss falls enough and the slope becomes flat enough.

    `at(t)` gives the loss and the gradient at t; `d` is the direction, and `slope`, below 0, the
    gradient along it at 0. Returns the loss and the gradient found, and t. Nocedal & Wright,
    "Numerical Optimization", 2006, algorithms 3.5 and 3.6; the bounds are PyTorch's.
    """

    def visit(t):
        loss, gradient = at(t)
        return Point(t, loss, gradient, gradient.dot(d).item())

    start = Point(0.0, loss, gradient, slope)

    def falls(point):
        return point.loss <= start.loss + ENOUGH * point.t * slope

    def flat(point):
        return abs(point.slope) <= -FLAT * slope

    low, high, calls = _bracket(visit, start, t, falls, flat, max_calls)
    if low is not high:
        longest = d.abs().max().item()
        low = _zoom(visit, low, high, falls, flat, max_calls - calls, longest)
    return low.loss, low.gradient, low.t


def _bracket(visit, start, t, falls, flat, max_calls):
    """Two points with a good one between them, or a good one twice; and how many were tried."""
    previous, point, count = start, visit(t), 0
    while count < max_calls:
        if not falls(point) or (count > 1 and point.loss >= previous.loss):
            return *_ordered(previous, point), count
        if flat(point):
            return point, point, count
        if point.slope >= 0:
            return *_ordered(previous, point), count
        nearest = point.t + 0.01 * (point.t - previous.t)
        t = _interpolate(previous, point, nearest, 10 * point.t)
        previous, point = point, visit(t)
        count += 1
    return *_ordered(start, point), count


def _zoom(visit, low, high, falls, flat, max_calls, longest):
    """Narrow the interval between two points until one in it is good, or calls run out."""
    stuck = False
    for _ in range(max_calls):
        left, right = sorted((low.t, high.t))
        if (right - left) * longest < SHORT:
            break
        t = _interpolate(low, high, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or t >= right or t <= left:
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = True
        point = visit(t)
        if not falls(point) or point.loss >= low.loss:
            low, high = _ordered(low, point)
        else:
            if flat(point):
                return point
            if point.slope * (high.t - low.t) >= 0:
                high = low
            low = point
    return low


def _ordered(a, b):
    """The point with the lower loss first."""
    return (a, b) if a.loss <= b.loss else (b, a)


def _interpolate(a, b, lowest, highest):
    """The minimum, within bounds, of the cubic through two points with their slopes."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (lowest + highest) / 2.0
    d2 = sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, lowest), highest)
