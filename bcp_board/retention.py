"""Which backups are no longer needed: how long each day, week and month keeps one."""

from itertools import groupby

from django.utils import timezone

DAYS, WEEKS, MONTHS = 14, 8, 24


def not_needed(backups, *, today):
    """Those of ``backups`` that no rule keeps, the oldest first.

    Every one of the last 14 days is kept, the last of each week for 8 weeks, the last of each month for 24
    months, and the newest of all. A week and a month have the same last one whatever was deleted before.
    """
    backups = sorted(backups, key=lambda backup: backup.made_at)
    kept = {
        *(backup for backup in backups if _days_since(backup, today) <= DAYS),
        *(last for last in _last_of_each(backups, _week) if _days_since(last, today) <= 7 * WEEKS),
        *(last for last in _last_of_each(backups, _month) if _months_since(last, today) <= MONTHS),
        *backups[-1:],
    }
    return [backup for backup in backups if backup not in kept]


def _day(backup):
    return timezone.localdate(backup.made_at)


def _week(backup):
    return _day(backup).isocalendar()[:2]


def _month(backup):
    return _day(backup).year, _day(backup).month


def _last_of_each(backups, period):
    return [list(group)[-1] for _, group in groupby(backups, key=period)]


def _days_since(backup, today):
    return (today - _day(backup)).days


def _months_since(backup, today):
    return 12 * (today.year - _day(backup).year) + today.month - _day(backup).month
