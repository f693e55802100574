"""Which backups are no longer needed, by the days, weeks and months that each keep one."""

import datetime
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcp_board.retention import not_needed

pytestmark = pytest.mark.once
TODAY = datetime.date(2026, 11, 28)


@dataclass(frozen=True)
class Made:
    made_at: datetime.datetime


def made_on(day, hour=2):
    return Made(datetime.datetime.combine(day, datetime.time(hour), tzinfo=datetime.UTC))


def kept(backups, *, today):
    return sorted(set(backups) - set(not_needed(backups, today=today)), key=lambda backup: backup.made_at)


def days(first, number, step):
    return {first + datetime.timedelta(days=step * count) for count in range(number)}


def test_of_a_backup_each_night_a_fortnight_eight_sundays_and_24_ends_of_a_month_are_kept():
    nights = [made_on(day) for day in days(TODAY, 1000, -1)]
    months = [divmod(2026 * 12 + 10 - back, 12) for back in range(24)]
    month_ends = {datetime.date(year, month + 1, 1) - datetime.timedelta(days=1) for year, month in months}
    sundays = days(datetime.date(2026, 11, 22), 8, -7)

    assert {backup.made_at.date() for backup in kept(nights, today=TODAY)} == (
        days(TODAY, 15, -1) | sundays | month_ends
    )
    assert (max(month_ends), min(month_ends)) == (datetime.date(2026, 10, 31), datetime.date(2024, 11, 30))


def test_every_one_of_the_last_days_is_kept_and_of_an_older_day_the_last():
    backups = [made_on(day, hour) for day in days(TODAY, 16, -1) for hour in (1, 12, 23)]
    last_day = datetime.date(2026, 11, 13)

    assert not_needed(backups, today=TODAY) == [made_on(last_day, hour) for hour in (1, 12, 23)]
    assert not_needed([made_on(last_day, hour) for hour in (1, 12, 23)], today=TODAY) == [
        made_on(last_day, hour) for hour in (1, 12)
    ]


def test_the_newest_is_kept_however_old_it_is():
    backups = [made_on(datetime.date(2001, 1, day)) for day in (1, 2)]

    assert not_needed(backups, today=TODAY) == backups[:1]
    assert not_needed([], today=TODAY) == []


@given(st.sets(st.integers(0, 1200), min_size=1, max_size=120), st.integers(0, 60))
def test_what_is_kept_does_not_depend_on_how_often_somebody_asks(nights, rest):
    """Deleted every night or only in the end: the same ones are left."""
    backups = [made_on(TODAY + datetime.timedelta(days=number)) for number in sorted(nights)]
    left = []
    for backup in backups:
        left = kept([*left, backup], today=backup.made_at.date())
    today = backups[-1].made_at.date() + datetime.timedelta(days=rest)

    assert kept(left, today=today) == kept(backups, today=today)
