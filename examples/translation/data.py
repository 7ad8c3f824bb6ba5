"""Dates as people write them, and as ISO 8601 has them, character by character."""

import datetime
import random

import tallow

PADDING, START, END = range(3)
CHARACTERS = " ,./'-abcdefghijklmnopqrstuvwxyz0123456789"
FIRST, LAST = datetime.date(1930, 1, 1), datetime.date(2029, 12, 31)


def written(date, generator):
    """A date in one of the ways people write it."""
    day, month = str(date.day), date.strftime("%B").lower()
    ending = {1: "st", 2: "nd", 3: "rd"}.get(date.day % 10, "th")
    ending = "th" if 10 < date.day < 14 else ending
    short, weekday, year = month[:3], date.strftime("%A").lower(), str(date.year)
    return generator.choice([
        f"{day} {month} {year}", f"{day} {short} {year}", f"{month} {day}, {year}",
        f"{short}. {day}, {year}", f"{month} {day}{ending} {year}",
        f"{day}{ending} of {month} {year}", f"{weekday}, {day} {month} {year}",
        f"{weekday[:3]} {short} {day} {year}",
        f"{day}.{date.month}.{year}", f"{day}. {short} '{year[2:]}", f"{date:%d-%m-%Y}",
        f"{year}/{date.month}/{day}",
    ])  # fmt: skip


def pairs(count, seed):
    """`count` dates as (what is written, ISO 8601); no date is drawn twice with one seed."""
    generator = random.Random(seed)
    days = generator.sample(range((LAST - FIRST).days + 1), count)
    dates = [FIRST + datetime.timedelta(day) for day in days]
    return [(written(date, generator), date.isoformat()) for date in dates]


def encode(texts, frame=False):
    """Texts as the numbers of their characters (N, longest); in a `frame` of START and END."""
    rows = [[CHARACTERS.index(character) + 3 for character in text] for text in texts]
    rows = [[START, *row, END] if frame else row for row in rows]
    longest = max(map(len, rows))
    return tallow.tensor([row + [PADDING] * (longest - len(row)) for row in rows])


def decode(row):
    """The text of a row of numbers, up to END."""
    numbers = row.tolist()
    numbers = numbers[: numbers.index(END)] if END in numbers else numbers
    return "".join(CHARACTERS[number - 3] for number in numbers if number > 2)
