"""What follows the name of an effect, read as SoX reads it."""

import math
import re

from tallow.errors import ArgumentError

# How widths are given, by the letter after the number: the quality Q of a filter at a frequency.
_QUALITIES = {
    "q": lambda width, frequency, turn: width,
    "o": lambda width, frequency, turn: 1 / (2 * math.sinh(
        math.log(2) / 2 * width * turn / math.sin(turn))),
    "h": lambda width, frequency, turn: frequency / width,
    "k": lambda width, frequency, turn: frequency / (1000 * width),
}  # fmt: skip


class Given:
    """The arguments of an effect, taken one after the other, and what the sound is like."""

    def __init__(self, name, arguments, rate, length):
        self.name, self.arguments = name, arguments
        self.rate, self.length = rate, length  # Hz, samples

    def fail(self, expected, got):
        raise ArgumentError(f"{self.name}: expected {expected}, got {got!r}") from None

    def check_all_taken(self):
        if self.arguments:
            self.fail("no more arguments", " ".join(self.arguments))

    def flags(self, *known):
        """The flags among the arguments, such as "-n"; another is an error."""
        found = set()
        while self.arguments and re.fullmatch(r"-[A-Za-z]", self.arguments[0]):
            flag = self.arguments.pop(0)
            if flag not in known:
                self.fail(f"flags of {', '.join(known) or 'none'}", flag)
            found.add(flag)
        return found

    def text(self, default=None):
        """The next argument; the default if there is none, or an error if that is None."""
        if self.arguments:
            return self.arguments.pop(0)
        if default is None:
            self.fail("another argument", "none")
        return default

    def number(self, default=None, low=-math.inf, high=math.inf):
        """The next argument as a number within limits."""
        text = self.text(default)
        try:
            value = float(text)
        except ValueError:
            self.fail("a number", text)
        if not low <= value <= high:
            self.fail(f"a number from {low:g} to {high:g}", text)
        return value

    def rest(self):
        """All other arguments."""
        rest, self.arguments = self.arguments, []
        return rest

    def frequency(self, default=None):
        """A frequency in Hz, between 0 and half the sample rate; "2k" is 2000."""
        text = str(self.text(default))
        match = re.fullmatch(r"([\d.]+)(k?)", text)
        value = float(match[1]) * (1000 if match[2] else 1) if match else -1
        if not 0 < value < self.rate / 2:
            self.fail(f"a frequency between 0 and {self.rate / 2:g} Hz", text)
        return value

    def quality(self, frequency, default=None, unit="q", gain=0.0):
        """The Q of a width: a number with q (Q), o (octaves), h (Hz), k (kHz) or s (slope)."""
        text = str(self.text(default))
        match = re.fullmatch(r"([\d.]+)([qohks]?)", text)
        if not match or float(match[1]) <= 0:
            self.fail("a width, such as 0.7q, 2o, 100h, 1k or 0.5s", text)
        width, unit = float(match[1]), match[2] or unit
        if unit == "s":
            A = 10 ** (gain / 40)
            return 1 / math.sqrt((A + 1 / A) * (1 / width - 1) + 2)
        return _QUALITIES[unit](width, frequency, 2 * math.pi * frequency / self.rate)

    def samples(self, text):
        """A time as a number of samples: seconds, [[hours:]minutes:]seconds, or with s, samples."""
        match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d*\.?\d*)(s?)", text)
        if not match or not match[3]:
            self.fail("a time, such as 1.5, 1:30 or 8000s", text)
        if match[4]:
            return int(float(match[3]))
        seconds = 3600 * int(match[1] or 0) + 60 * int(match[2] or 0) + float(match[3])
        return int(seconds * self.rate + 0.5)

    def position(self, text, last, end=None):
        """A place in samples: after `last`, or "=" from the beginning, or "-" from the end."""
        end = self.length if end is None else end
        if text.startswith("-"):
            return end - self.samples(text[1:])
        if text.startswith("="):
            return self.samples(text[1:])
        return last + self.samples(text.removeprefix("+"))
