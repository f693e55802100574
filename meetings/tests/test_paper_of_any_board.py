"""Whatever happened on a board, its paper asks for each decision once and says what the first page does."""

import re
from html import unescape

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from meetings import papers
from recommendations.tests.histories import DAYS, day, histories, make_board, store
from record.as_at import AsAt
from record.models import Meeting
from record.tests.factories import make_meeting

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split()).replace(" .", ".")


def without_ways_on(html):
    """Without the paragraphs that are nothing but links: paper leads nowhere."""
    return re.sub(r"<p>(\s*<a\b[^>]*>[^<]*</a>,?)+\s*</p>", "", html)


def between(html, start, end):
    return html[html.index(start) : html.index(end, html.index(start))]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
)
@given(rows=histories(4, most=24), number=st.integers(30, DAYS))
def test_every_decision_is_on_the_paper_once_and_the_cells_say_what_the_first_page_does(rows, number):
    with transaction.atomic():
        actions, recommendation, officer = make_board(4)
        store(rows, actions, recommendation, officer)
        make_meeting(held_on=day(10))
        coming = make_meeting(held_on=day(DAYS + 5))
        reader = Client()
        reader.force_login(officer)
        home = reader.get(f"/?as_at={day(number)}")
        at = AsAt(today=home.wsgi_request.as_at.today, day=day(number), known=None)
        paper = papers.status_paper(at, meeting=Meeting.objects.get(pk=coming.pk))
        body = papers.render_paper(paper).decode()

        waiting = paper.board.decisions
        asked = [action for action, _ in waiting.proposals] + [*waiting.to_accept, *waiting.to_recheck]
        asked += [a for a in paper.board.overdue if a not in asked and a.status != "done"]
        printed = re.findall(r"<strong>(D\d+)</strong></td>\s*<th scope=\"row\w*\">\s*(\S+)", body)
        assert [name for name, _ in printed] == [f"D{place}" for place in range(1, len(asked) + 1)]
        assert sorted(ref for _, ref in printed) == sorted(action.ref for action in asked)

        cells = [words(cell) for cell in between(body, '<dl class="four">', "</dl>").split("<div>")[1:]]
        first_page = between(home.content.decode(), '<div class="cells">', "</div>").split("<section>")[1:]
        assert cells == [words(without_ways_on(cell)) for cell in first_page]
        transaction.set_rollback(True)
