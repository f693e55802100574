"""Fill an empty database with the record and invented progress, so that every page has something to show."""

import datetime
import re
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import reset_queries, transaction
from django.db.models import Min
from django.utils import timezone

from bcp_board.management.commands.seed import load_all
from demonstration import story
from demonstration.outcomes import outcomes_of
from demonstration.script import BadScript, read_script
from meetings import publishing
from meetings.models import Paper
from recommendations.due_dates import DueDate
from recommendations.models import Action, ProgressUpdate, Recommendation
from record import ledger, versions
from record.dates import say_day
from record.models import Demonstration
from record.planning import take_stock
from record.progress import progress

ACTIONS = range(1, 101)
UPDATES = range(1, 2401)
FIRST_DAY = datetime.date(2022, 10, 1)
SHORTEST_LIFE = datetime.timedelta(days=14)
# What is edited is all recorded on the first day of the story, before anybody says anything.
FIRST_MOMENT = story.at_minute(story.BEGINS)
BATCH = 5000
SEEDS = settings.BASE_DIR / "seeds"
FOLDER = SEEDS / "demonstration"


class Command(BaseCommand):
    help = (
        "Fill an empty database with the record and invented owners, actions, updates, dates, decisions and "
        "meetings. For looking at only: it needs DEBUG=1, it marks the database for good, and it is refused "
        "where there is a record already."
    )

    def add_arguments(self, parser):
        parser.add_argument("--actions", default="6", help="for each recommendation, 1 to 100")
        parser.add_argument("--updates", default="24", help="for each action, 1 to 2400")
        parser.add_argument("--as-at", help="the last day of the story, as YYYY-MM-DD; today if left out")
        parser.add_argument("--folder", default=FOLDER, help="where the files of the script are")

    def handle(self, *, actions, updates, as_at, folder, **options):
        if not settings.DEBUG:
            refuse("A demonstration is for local use: set DEBUG=1 to make one")
        today = timezone.localdate()
        actions = whole_number("--actions", actions, ACTIONS)
        updates = whole_number("--updates", updates, UPDATES)
        as_at = day_asked(as_at, today=today) if as_at else today
        try:
            script = read_script(Path(folder))
        except BadScript as error:
            refuse(error)
        with transaction.atomic():
            refuse_unless_empty()
            load_all(SEEDS, at=FIRST_MOMENT)
            made = tell(script, actions=actions, updates=updates, as_at=as_at)
        counts = ", ".join(f"{count} {what}" for what, count in made.items())
        self.stdout.write(f"Made a demonstration as at {say_day(as_at)}: {counts}.")


def refuse(reason):
    raise CommandError(f"{reason}. Nothing was saved.")


def whole_number(name, value, allowed):
    """``value`` as a number of ``allowed``; refuse anything else."""
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) not in allowed:
        refuse(f"{name} must be a whole number from {allowed[0]} to {allowed[-1]}, not {text!r}")
    return int(text)


def day_asked(value, *, today):
    """``value`` as a day from FIRST_DAY to ``today``; refuse anything else."""
    text = str(value)
    try:
        day = datetime.date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= today:
        refuse(f"--as-at must be a day from {FIRST_DAY} to {today}, written like {FIRST_DAY}, not {text!r}")
    return day


def refuse_unless_empty():
    """Refuse a database that holds a record: nothing invented may be mixed with it."""
    if Demonstration.objects.exists():
        refuse("This database is a demonstration already")
    if ledger.anchor().count:
        refuse("This database holds a record, with which nothing invented may be mixed: choose an empty one")
    if get_user_model().objects.filter(username__startswith="demo-").exists():
        refuse("This database holds accounts whose names start with demo-, which its people would need")


def tell(script, *, actions, updates, as_at, publishes=True):
    """Save the story beside the record loaded at FIRST_MOMENT; return how many of each thing were made.

    Its papers, which take longer than all the rest, are published unless told otherwise.
    """
    recommendations = list(Recommendation.objects.filter(number__in=script.areas).order_by("number"))
    seeded = set(Action.objects.values_list("pk", flat=True))
    cast = make_cast(script)
    meetings = story.meetings(script, as_at=as_at)
    with versions.saving(at=FIRST_MOMENT):
        added = make_actions(script, recommendations, wanted=actions, as_at=as_at)
        asks = []
        for place, meeting in enumerate(meetings):
            meeting.save()
            asked = story.asks(script, meeting, place=place)
            for ask in asked:
                ask.save()
            if meeting.was_held_by(as_at):
                asks = asked
    # First, so that every paper says that it is invented.
    ledger.append([Demonstration(made_at=FIRST_MOMENT, as_at=as_at)])
    made = {
        "actions added": added,
        "owners": 0,
        "updates": 0,
        "due dates": 0,
        "assessments": 0,
        "decisions": 0,
        "reports sent back": 0,
        "outcomes of what was asked": 0,
    }
    played = lives(script, seeded, as_at=as_at)
    rows = story.statements(
        script,
        played,
        recommendations,
        cast,
        meetings=meetings,
        outcomes=outcomes_of(script, asks, cast, as_at=as_at),
        updates=updates,
        as_at=as_at,
    )
    papers = list(story.papers(meetings, as_at=as_at)) if publishes else []
    with progress("Telling the story", "updates", of=len(played) * updates) as done:
        for batch in batches(rows, breaks=[moment for moment, _ in papers]):
            publish(script, papers, cast, until=batch[0].recorded_at)
            for row in ledger.append(batch):
                name = "updates" if isinstance(row, ProgressUpdate) else row._meta.verbose_name_plural
                made[name] += 1
            done(made["updates"])
            reset_queries()  # which DEBUG would keep, rows and all
    publish(script, papers, cast, until=story.at_minute(as_at))
    take_stock()
    return made | {"meetings": len(meetings), "papers": Paper.objects.count()}


def publish(script, papers, cast, *, until):
    """Publish, and take off the list, those of ``papers`` whose moment has come ``until`` then."""
    while papers and papers[0][0] <= until:
        moment, meeting = papers.pop(0)
        take_stock()
        newest = meeting.papers.defer("body").order_by("-version").first()
        publishing.freeze(
            meeting,
            newest,
            by=cast.secretariat,
            signed=cast.signature(cast.secretariat),
            now=moment,
            reason=story.invented(script.meetings.new_version_reason) if newest else "",
        )


def make_cast(script):
    """Save the accounts of the invented people, who have no password and no rights; return the Cast."""

    def account(username, last_name):
        # Without a password, the account has one that nothing matches.
        return get_user_model().objects.create_user(username, first_name="Demo", last_name=last_name)

    people = script.people
    return story.Cast(
        owners={
            number: account(f"demo-owner-{number}", people.owner.format(area=area))
            for number, area in script.areas.items()
        },
        chair=account("demo-chair", people.chair),
        secretariat=account("demo-secretariat", people.secretariat),
    )


def make_actions(script, recommendations, *, wanted, as_at):
    """Save new actions until each of ``recommendations`` has as many as are wanted; return how many."""
    by_number = {recommendation.number: recommendation for recommendation in recommendations}
    counts = {number: row.actions.count() for number, row in by_number.items()}
    last_ref = max(int(ref[1:]) for ref in Action.objects.values_list("ref", flat=True))
    added = 0
    for action, number in story.new_actions(
        script, counts, wanted=wanted, next_ref=last_ref + 1, as_at=as_at
    ):
        action.save()
        action.recommendations.add(by_number[number])
        added += 1
    return added


def lives(script, seeded, *, as_at):
    """The Life of each action that answers one of the recommendations, in the order of their refs.

    Those ``seeded`` have no owner in the record, and get none here.
    """
    actions = (
        Action.objects.filter(recommendations__number__in=script.areas)
        .annotate(number=Min("recommendations__number"))
        .select_related("document")
    )
    dated = set(DueDate.objects.values_list("action", flat=True))
    found = []
    for place, action in enumerate(sorted(actions, key=lambda a: int(a.ref[1:]))):
        begins = action.agreed_on_first or action.document.published_first
        if begins + SHORTEST_LIFE > as_at:
            begins = story.BEGINS
        found.append(
            story.Life(
                script=script,
                pk=action.pk,
                ref=action.ref,
                place=place,
                number=action.number,
                begins=max(begins, story.BEGINS),
                as_at=as_at,
                has_owner=action.pk not in seeded,
                has_due_date=action.pk in dated,
            )
        )
    return found


def batches(rows, *, breaks):
    """Yield lists of ``rows``, in order, such that no row corrects or withdraws another of its own list.

    None holds rows recorded on both sides of one of the moments ``breaks``, which are in order.
    """
    batch, ahead = [], list(breaks)
    for row in rows:
        earlier, is_past = row.corrects or row.withdraws, False
        while ahead and ahead[0] <= row.recorded_at:
            is_past = bool(ahead.pop(0))
        if batch and (is_past or len(batch) == BATCH or (earlier and earlier.pk is None)):
            yield batch
            batch = []
        batch.append(row)
    yield batch
