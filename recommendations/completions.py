"""What is claimed by the reports that an action is done: one claim, until it is accepted or sent back.

An owner who reports it done again, or adds a word to that, asks the board for nothing new. So the decision
wanted stays the same one, and the evidence given with the first report is not lost behind the last.
"""

from typing import NamedTuple

from django.db.models import FilteredRelation, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from recommendations.models import ProgressUpdate
from recommendations.sent_back import SendBack
from recommendations.status import Status
from record.as_at import EARLIEST
from record.dates import PartialDate, read_edtf
from record.prepared import ask
from record.statements import first_of, place_of


class Completion(NamedTuple):
    """The ``place`` of the first report of the claim, by which it is known, and the last ``evidence`` given.

    ``given_for`` is the day of the report that gave it, a PartialDate, where later ones gave none, or None.
    """

    place: int
    evidence: str
    given_for: PartialDate | None


def completions_of(reports, at):
    """{key: the Completion that it claims} for those of ``reports``, keys of updates, that say it is done."""
    found = {}
    for pk, place, first, given, evidence, dated in ask(_completions, at, keys=sorted(reports)):
        day = read_edtf(dated) if given and given != pk else None
        found[pk] = Completion(first or place, evidence or "", day)
    return found


def _completions(at, reports):
    place = place_of(ProgressUpdate)
    said = ProgressUpdate.objects.standing(at).annotate(its_place=place)
    said = said.filter(action=OuterRef("action"), dated_first__lte=OuterRef("dated_first"))
    is_earlier = Q(dated_first__lt=OuterRef("dated_first")) | Q(its_place__lt=OuterRef("place"))
    # All of them, listed once: looked for beside each report they took the history of its action each time.
    sent_back = SendBack.objects.standing(at).order_by().values_list(place_of(ProgressUpdate, "report__"))
    ends = ~Q(status=Status.DONE) | Q(its_place__in=sent_back)
    ending = said.filter(is_earlier).filter(ends).newest_first()
    last = FilteredRelation("action__updates", condition=Q(action__updates__pk=first_of(ending, "pk")))
    day = Coalesce(OuterRef("last__dated_first"), Value(EARLIEST))
    claiming = said.filter(Q(dated_first__lt=OuterRef("dated_first")) | Q(its_place__lte=OuterRef("place")))
    claiming = claiming.filter(status=Status.DONE, dated_first__gte=day)
    claiming = claiming.filter(Q(dated_first__gt=day) | Q(its_place__gt=Coalesce(OuterRef("last_place"), 0)))
    evidence = claiming.exclude(evidence="").newest_first()
    rows = ProgressUpdate.objects.filter(pk__in=reports, status=Status.DONE).annotate(place=place)
    return (
        rows.alias(last=last)
        .alias(last_place=place_of(ProgressUpdate, "last__"))
        .annotate(
            first=first_of(claiming.oldest_first(), "its_place"),
            given=first_of(evidence, "pk"),
            given_evidence=first_of(evidence, "evidence"),
            given_dated=first_of(evidence, "dated"),
        )
        .values_list("pk", "place", "first", "given", "given_evidence", "given_dated")
    )
