"""The status paper says what the position says, and carries everything it needs within itself."""

import datetime
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from django.utils import timezone

from meetings import papers
from meetings.decisions import asks_of
from meetings.templatetags.paper import in_a_line
from meetings.tests.factories import make_outcome
from recommendations.position import board_position
from recommendations.status import STATUS_WORDS, TABLE, Status
from recommendations.tests.factories import (
    make_action,
    make_assessment,
    make_due_date,
    make_measure_value,
    make_recommendation,
    make_update,
)
from record import ledger
from record.as_at import AsAt
from record.models import Demonstration
from record.tests.factories import add, make_meeting, make_user, noon, on

pytestmark = pytest.mark.once

AS_AT = datetime.date(2022, 12, 15)
AT = datetime.datetime(2022, 12, 15, 17, 30, tzinfo=datetime.UTC)


def render(*, as_at=AS_AT, meeting=None, **options):
    """The bytes of the status page as at a day that is also today."""
    at = AsAt(options.pop("today", as_at), as_at, options.pop("known", None))
    options = {"published_at": AT, "asks": asks_of(meeting, at), **options}
    return papers.render_paper(papers.status_paper(at, meeting=meeting, **options))


def text_of(body):
    """What a reader of the page reads, its spaces made single."""
    html = re.sub(r"<(style|svg|title)\b.*?</\1>", " ", body.decode(), flags=re.DOTALL)
    html = re.sub(r"<ul aria-label.*?</ul>", " ", html, count=1, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split()).replace(" .", ".").replace(" ,", ",")


class Outline(HTMLParser):
    """The elements and attributes of a page, in order."""

    def __init__(self, body):
        super().__init__()
        self.found = []
        self.feed(body.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def tags(self, *names):
        return [attributes for tag, attributes in self.found if tag in names]


def test_a_hostile_marking_stays_text_and_the_stylesheet_one(db, settings):
    settings.MARKING = '"}</style><script>alert(1)</script>'
    body = render()
    assert body.count(b"<style>") == body.count(b"</style>") == 1
    assert b"<script" not in body
    assert papers.style_source(body).startswith("'sha256-")


def test_the_paper_needs_nothing_but_its_own_bytes(db):
    make_update(make_action("A01"), Status.AT_RISK)
    body = render(meeting=make_meeting(held_on=AS_AT), is_draft=True)
    outline = Outline(body)
    assert not outline.tags("script", "link", "img", "form", "input", "button", "iframe", "nav")
    assert not [attributes for _, attributes in outline.found if "style" in attributes]
    assert [a["href"] for a in outline.tags("a") if a["href"][0] != "#"] == ["/", "?draft&annex"]
    assert b"csrf" not in body
    assert not re.search(rb"url\((?!#)", body)


def test_headings_tables_and_language_are_in_order(db, record):
    body = render(as_at=datetime.date(2026, 11, 22), has_annex=True)
    outline = Outline(body)
    assert outline.tags("html") == [{"lang": "en-GB"}]
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert {heading["scope"] for heading in outline.tags("th")} == {"row", "rowgroup", "col"}
    assert len(outline.tags("caption")) == len(outline.tags("table"))


def test_the_sentences_are_the_positions_own_figures(db):
    recommendation = make_recommendation(1)
    late = make_action("A01", recommendation, earlier_misses=1)
    make_due_date(late, "2022-11")
    make_update(late, Status.OFF_TRACK, dated="2022-12-01")
    make_update(make_action("A02", recommendation), Status.AT_RISK, dated="2022-10-05")
    make_update(make_action("A03", recommendation), Status.COMPLETE, dated="2022-12-01")
    make_action("A04", recommendation)
    board = board_position(on(AS_AT))
    assert papers.position_in_words(board, update_every_days=28) == (
        "There are 4 actions, of which 3 are open.",
        "Of these, 1 is overdue, 1 is off track, 1 is at risk, "
        "1 has gone more than 28 days without an update, and 1 has not yet been reported on at all.",
        "At least 2 deadlines have been missed, on 1 action.",
    )
    text = text_of(render())
    for sentence in papers.position_in_words(board, update_every_days=28):
        assert sentence in text
    finished = "Done, evidence awaited: 0. Complete, evidenced: 1. Embedded: 0."
    assert finished in text


def test_a_board_with_nothing_on_it_says_so_in_words(db):
    text = text_of(render(has_annex=True))
    for sentence in (
        "There are no actions.",
        "no meeting is planned",
        "Nothing has been asked of the board",
        "No decision is waiting for the board: no proposed date, no completion to accept, no re-check due "
        "and no late action without a new date asked for.",
        "No judgement held",
        "No inspection or visit is held, so it cannot be told whether one is missing.",
        "There are no actions, so there is nothing to compare.",
        "There are no actions to report on.",
        "No critical recommendation",
        "No recommendation is on the board on this day.",
        "No report says anything of it.",
        "There are no actions, so there is nothing to show.",
        "There is no earlier meeting on the record",
        "No open action has a date still to come.",
        "No measure is on the record.",
        "No risk is on the record.",
    ):
        assert sentence in text


def test_a_measure_says_how_late_its_value_was_recorded_and_what_it_said_before(db):
    clerk = make_user("Secretariat")
    said = {"as_at": "2022-11-30", "by": clerk}
    wrong = make_measure_value("44%", recorded_at=noon("2022-12-14"), **said)
    make_measure_value(
        "54%",
        corrects=wrong,
        measure=wrong.measure,
        correction_reason="Misread",
        recorded_at=noon("2022-12-15"),
        **said,
    )
    text = text_of(render(has_annex=True))
    assert "54% 30 November 2022, recorded 2 weeks later 44%, corrected 15 December 2022" in text


def test_an_exception_shows_its_reason_step_owner_and_both_dates(db):
    action = make_action("A01", title="Replace the system", owner_role="Head of IT")
    make_due_date(action, "2022-11")
    make_due_date(action, "2023-02", dated="2022-11-20", reason_kind="resources", reason="Too few people")
    said = {"reason": "Two left.", "recovery_step": "Hire two."}
    make_update(action, Status.AT_RISK, dated="2022-12-01", by=make_user("Officers"), **said)
    text = text_of(render())
    exceptions = text.split("Look at these first: 1")[1].split("Not yet reported")[0]
    assert (
        "A01 Replace the system (1) At risk February 2023, first November 2022 0 "
        "Head of IT : Two left. To recover: Hire two."
    ) in exceptions


def test_the_critical_recommendation_warns_when_its_actions_are_late(db):
    critical = make_recommendation(6, is_critical=True, consequence="The trust question comes nearer.")
    action = make_action("A01", critical)
    make_due_date(action, "2022-11")
    make_update(action, by=make_user("Officers"))
    calm = "None of its actions is reported overdue or off track: 1 of 1 reported."
    warning = "It is nearer, because these are overdue or off track: A01"
    quiet, late = (text_of(render(as_at=datetime.date(2022, *day))) for day in ((11, 30), (12, 1)))
    assert (calm in quiet, warning in quiet) == (True, False)
    assert (calm in late, warning in late) == (False, True)
    assert "The trust question comes nearer." in late


def test_of_a_critical_recommendation_in_silence_the_paper_says_that_it_cannot_be_told(db):
    critical = make_recommendation(6, is_critical=True, consequence="The trust question comes nearer.")
    make_due_date(make_action("A01", critical), "2022-11")
    untold = "Cannot be told: 1 date has passed without a report: A01, November 2022."
    quiet, late = (text_of(render(as_at=datetime.date(2022, *day))) for day in ((11, 30), (12, 1)))
    assert [untold in text for text in (quiet, late)] == [False, True]
    assert "brought nearer" not in late
    assert "1 date passed with nothing reported, so nobody can say whether it was met." in late


def test_where_views_differ_stands_between_the_decisions_and_the_exceptions(db):
    recommendation = make_recommendation(1)
    make_update(make_action("A01", recommendation), Status.AT_RISK, reason="It is late.")
    make_assessment(recommendation, Status.OFF_TRACK, dated="2022-12-01", narrative="It will fail.")
    text = text_of(render())
    order = [
        "What the board is asked to do",
        "What changed",
        "It will fail.",
        "Look at these first: 1",
        "It is late.",
        "inspectors found",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert [text.count(words) for words in ("It will fail.", "It is late.")] == [1, 1]


def test_a_filler_of_the_same_day_hides_on_paper_nothing_that_was_said_before_it(db):
    officer = make_user("Officers")
    make_meeting(held_on=datetime.date(2022, 11, 1))
    action = make_action("A01", recorded_at=datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC))
    for hour, said in ((9, "Two of five left."), (10, "As said.")):
        at = datetime.datetime(2022, 12, 1, hour, tzinfo=datetime.UTC)
        make_update(
            action, "at_risk", dated="2022-12-01", by=officer, narrative=said, reason=said, recorded_at=at
        )
    text = text_of(render(meeting=make_meeting(held_on=datetime.date(2022, 12, 20))))
    exceptions = text.split("Look at these first: 1")[1].split("Not yet reported")[0]
    assert (
        "As said. To recover: What next. Earlier that day: Two of five left. To recover: What next."
        in exceptions
    )
    assert "Reports received: 1. Director : A01." in text


def test_where_views_differ_the_paper_says_what_it_rests_on(db):
    heard, silent = make_recommendation(1), make_recommendation(2)
    make_update(make_action("A01", heard), Status.OFF_TRACK, dated="2022-12-01", by=make_user("Officers"))
    make_action("A02", silent)
    calm = text_of(render())
    assert "Nowhere, as far as it can be judged: 1 of 2 reported." in calm
    assert "Cannot be judged, because nobody has reported: recommendation 2." in calm
    assert "Neither the adviser nor the board has assessed recommendations 1 and 2." in calm
    make_assessment(heard, Status.ON_TRACK, dated="2022-12-02", narrative="It goes well.")
    text = text_of(render())
    assert "Recommendation 1 Off track : A01 On track, Dec 2022 Not assessed" not in calm
    assert "Recommendation 1 Off track : A01 On track, Dec 2022 Not assessed" in text
    assert "The adviser: It goes well." in text
    assert "Nowhere" not in text


def test_a_board_on_which_nobody_has_reported_judges_nothing(db):
    make_action("A01")
    text = text_of(render())
    assert "This cannot be judged: nobody has reported on any action." in text
    assert ("Nowhere" in text, "differ: 0" in text) == (False, True)


def decided_upon(db):
    """A board asked for a date, a completion and a re-check, with one late action that nobody asks about."""
    officer = make_user("Officers")
    late = make_action("A01", title="Replace the system")
    make_due_date(late, "2022-11", dated="2022-10-01")
    make_update(late, Status.AT_RISK, by=officer, reason="Two left.", recovery_step="Hire two.")
    asked = make_action("A02", title="Train managers")
    make_due_date(asked, "2023-01", dated="2022-11-01")
    make_due_date(
        asked,
        "2023-06",
        dated="2022-12-01",
        by=officer,
        needs_decision=True,
        reason_kind="resources",
        reason="Too few people.",
    )
    make_update(make_action("A03"), Status.DONE, dated="2022-12-01", by=officer, evidence="The minutes")
    checked = make_action("A04")
    make_update(checked, Status.COMPLETE, dated="2022-08-01", recheck_on=datetime.date(2022, 12, 1))
    return officer


def test_decisions_are_numbered_with_a_box_for_each_answer(db):
    officer = decided_upon(db)
    body = render()
    text = text_of(body)
    wanted = text[text.index("A. Dates asked for: 1 No.") : text.index("What changed since")]
    assert (
        "D1 A02 Train managers January 2023 January 2023 June 2023 0 0 Agree Refuse "
        "Not enough people or money: Too few people. (1 December 2022)"
    ) in wanted
    assert "D2 A03 Title of A03 Evidence: The minutes 1 December 2022 Accept Send back" in wanted
    assert "D3 A04 Title of A04 1 December 2022, 2 weeks ago Yes No" in wanted
    assert (
        "D4 A01 Replace the system November 2022 November 2022 0 1 Yes No "
        "At risk, Overdue, No update since 1 November 2022 : Two left. To recover: Hire two."
    ) in wanted
    assert body.count(b'class="tick"') == 8
    counted = (
        "A. Dates asked for: 1, D1; B. Completions to accept: 1, D2; C. Re-checks due: 1, D3; "
        "D. Late, with no new date asked for: 1, D4."
    )
    assert counted in text
    assert officer.last_name not in text


def test_beside_a_date_asked_for_stands_which_actions_the_record_of_the_lead_body_is_of(db):
    make_recommendation(1, lead_body="The council", lead_basis="inferred")
    decided_upon(db)
    said = "Led by The council (inferred): "
    assert f"{said}1 date came and was reported on, too few to say." in text_of(render())


def test_a_claim_of_a_difference_on_the_paper_stands_beside_how_its_action_stands(db):
    officer, action = make_user("Officers"), make_action("A01")
    make_update(action, dated="2022-11-01", by=officer, difference_made="More visits were on time")
    make_update(action, "closed", dated="2022-12-01", by=make_user("Chair"))
    assert "A01 ( Closed, not done ), an officer, 1 November 2022, recorded" in text_of(render())


def test_what_the_meeting_made_of_an_ask_stands_in_the_place_of_its_box(db):
    asks = ["Agree the plan", "Fund it", "Note the letter", "Hear the owners", "Close the plan"]
    meeting = make_meeting(held_on=AS_AT, asks=asks)
    agreed, deferred, noted, between, _ = meeting.asks.order_by("pk")
    chair, clerk = (
        make_user(group, first_name="Cara", last_name="Reader") for group in ("Chair", "Secretariat")
    )
    told = {"dated": AS_AT.isoformat(), "recorded_at": AT}
    assert render(meeting=meeting).count(b'class="tick"') == 5

    make_outcome(agreed, by=chair, **told)
    make_outcome(deferred, "deferred", words="Until <May>\nor later", by=chair, **told)
    late = {**told, "recorded_at": AT + datetime.timedelta(days=2)}
    make_outcome(between, "not_agreed", words="No time", by=clerk, **{**told, "meeting": None})
    make_outcome(noted, "noted", by=clerk, **late)
    body = render(meeting=meeting, today=datetime.date(2022, 12, 20), version=2)
    text = text_of(body)
    assert (
        "Agree the plan Agreed (the Chair, at the meeting of 15 December 2022) "
        "To decide: Fund it Deferred : Until <May> or later (the Chair, at the meeting of 15 December 2022) "
        "To decide: Note the letter Noted (the Secretariat, at the meeting of 15 December 2022, "
        "recorded 2 days later) To decide: Hear the owners Not agreed : No time "
        "(the Secretariat, 15 December 2022) To decide: Close the plan"
    ) in text
    assert "5 requests from the Secretariat, 1 to decide, 4 answered below." in text
    assert body.count(b'class="tick"') == 1
    assert "Reader" not in text
    # What was not yet known when the paper before was made, and what counts no more, leave the box.
    then = render(meeting=meeting, known=AT + datetime.timedelta(days=1), version=1)
    assert then.count(b'class="tick"') == 2
    add(agreed.outcomes.get().withdrawal(by=chair, reason="Not said"))
    assert render(meeting=meeting).count(b'class="tick"') == 2


def test_above_the_sheets_each_heading_on_them_is_a_link_that_says_its_sheet(db):
    decided_upon(db)
    body = render(has_annex=True).decode()
    above, _, sheets = body.partition("</header>")
    on_sheets = [
        (place, unescape(words).strip(), str(number))
        for number, sheet in enumerate(sheets.split('<section class="sheet"')[1:], 1)
        for place, words in re.findall(r'<h2 id="([^"]*)">([^<]*)</h2>', sheet)
    ]
    links = re.findall(r'<a href="#([^"]*)">([^<]*)</a> \(sheet (\d+)\)', above)
    assert [(place, unescape(words), number) for place, words, number in links] == on_sheets
    assert sheets.count("<h2") == len({place for place, _, _ in on_sheets}) > 5


def test_an_action_that_a_decision_is_about_is_not_an_exception_a_second_time(db):
    decided_upon(db)
    text = text_of(render())
    assert "Look at these first: 2 Each of them is among the decisions above." in text
    assert text.count("Two left.") == 1


def test_the_open_actions_are_reconciled_with_the_last_meeting(db):
    make_action("A01", recorded_at=datetime.datetime(2022, 10, 1, tzinfo=datetime.UTC))
    make_meeting(held_on=datetime.date(2022, 11, 1))
    make_action("A02", agreed_on="2022-11-10")
    text = text_of(render(meeting=make_meeting(held_on=datetime.date(2022, 12, 20))))
    assert (
        "Open actions: 1 before, plus 1 new, plus 0 reopened, less 0 completed, less 0 embedded, "
        "less 0 closed, makes 2 now."
    ) in text
    assert "New: 1. A02" in text


def test_every_action_and_recommendation_of_the_record_is_on_the_paper(db, record):
    day = datetime.date(2026, 11, 22)
    board, text = board_position(on(day)), text_of(render(as_at=day, has_annex=True))
    assert len(board.actions) == 27
    for action in board.actions:
        assert action.title in text
    for recommendation in board.recommendations:
        assert f"{recommendation.number} {recommendation.title}" in text
    for measure in board.measures:
        assert measure.caveat in text
    for risk in board.risks:
        assert risk.text in text


def test_the_paper_says_how_old_it_is_and_what_to_take_care_of(db, record):
    text = text_of(render(as_at=datetime.date(2026, 11, 22), has_annex=True))
    judgement = "Inadequate Ofsted, December 2021: the latest judgement held."
    assert f"{judgement} Newest source: about 2024. Nothing later is held." in text
    assert "current" not in text.lower()
    assert "Visited: date not stated, reported about 2024." in text
    assert "Note: The findings come from a press report." in text
    assert "Risks, as at August 2022" in text
    board = board_position(on(datetime.date(2026, 11, 22)))
    concerns = board.inspections.latest_graded.voices.concerns
    assert concerns
    assert [concern.ref for concern in concerns if concern.text not in text] == []


def test_what_the_council_says_of_a_visit_stands_apart_from_what_ofsted_found(db, record):
    text = text_of(render(as_at=datetime.date(2026, 11, 22)))
    found, said = text.index("Ofsted: strength"), text.index("The council says The director")
    assert found < text.index("The Hub, a place for young people") < said
    assert said < text.index("a report like this one held no surprises")


def test_the_key_explains_every_status(db):
    text = text_of(render())
    for status, meaning in [(row.value, row.meaning) for row in TABLE]:
        assert f"{STATUS_WORDS[status]} : {meaning}" in text


def test_the_abbreviations_on_the_paper_and_no_others_are_spelled_out(db):
    make_action("A01", title="Ask the DfE what HMIs saw")
    text = text_of(render())
    assert (
        "Abbreviations. BCP: Bournemouth, Christchurch and Poole; DfE: Department for Education."
        in text[text.index("Proof that") :]
    )


def test_a_draft_a_demonstration_and_a_version_say_so(db):
    assert "DRAFT" not in text_of(render())
    assert "DRAFT. This paper has not been published." in text_of(render(is_draft=True))
    text = text_of(render(version=3))
    assert "Status paper, version 3" in text
    assert "Published 15 December 2022 at 5:30pm" in text
    ledger.append([Demonstration(made_at=timezone.now(), as_at=AS_AT)])
    assert "DEMONSTRATION. The progress shown here is invented" in text_of(render())


def test_a_past_day_says_that_it_is_not_todays(db):
    assert "not today’s position" not in text_of(render())
    text = text_of(render(today=datetime.date(2022, 12, 16)))
    assert "This is not today’s position. It shows the board as at 15 December 2022." in text


def test_what_people_write_is_text_and_keeps_its_lines(db):
    meeting = make_meeting(
        held_on=AS_AT, covering_note="One\nTwo <b>bold</b>", asks=["Decide", "<script>note</script>"]
    )
    body = render(meeting=meeting).decode()
    made = re.sub(r">\s+<", "><", body)
    assert (
        "<strong>Covering note.</strong><bdi>One</bdi></p><p><bdi>Two &lt;b&gt;bold&lt;/b&gt;</bdi></p>"
        in made
    )
    for item in ("Decide", "&lt;script&gt;note&lt;/script&gt;"):
        assert f'<strong>To decide:</strong><bdi class="said">{item}</bdi></p>' in made


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime.datetime(2022, 11, 22, 17, 30, tzinfo=datetime.UTC), "22 November 2022 at 5:30pm"),
        (datetime.datetime(2022, 7, 1, 23, 5, tzinfo=datetime.UTC), "2 July 2022 at 12:05am"),
        (datetime.datetime(2022, 11, 22, 9, 0, tzinfo=datetime.UTC), "22 November 2022 at 9am"),
        (datetime.datetime(2022, 11, 22, 12, 0, tzinfo=datetime.UTC), "22 November 2022 at midday"),
        (datetime.datetime(2022, 11, 22, 0, 0, tzinfo=datetime.UTC), "the end of 21 November 2022"),
    ],
)
def test_times_are_said_in_london_and_in_plain_style(moment, words):
    assert papers.say_moment(moment) == words


@pytest.mark.parametrize("actions", [1, 10])
def test_the_page_costs_the_same_however_much_is_on_it(db, django_assert_num_queries, actions):
    for number in range(1, actions + 1):
        make_update(make_action(f"A{number:02}", make_recommendation(number)), Status.AT_RISK)
    context = {"at": on(AS_AT), "meeting": None}
    # The position 19, what was corrected of it 12, what was foretold of dates 2, meetings before 3 and so on;
    # the annex reads the months.
    with django_assert_num_queries(QUERIES):
        papers.render_paper(papers.status_paper(**context))
    with django_assert_num_queries(QUERIES + 1):
        papers.render_paper(papers.status_paper(**context, has_annex=True))


QUERIES = 36


def test_what_is_said_is_cut_only_after_a_whole_sentence():
    long = (
        "The supplier withdrew in November, and nobody else has answered the notice that was put out again."
    )
    assert in_a_line(f"{long} A second sentence.") == f"{long} […]"
    assert in_a_line("Short. And another\nline.") == "Short. And another line."
    endless = "no sentence ends here " * 20
    assert in_a_line(endless) == endless.strip()


def test_the_differences_made_are_told_by_owner_role_each_with_its_action_first(db):
    officer = make_user("Officers")
    said = {"dated": "2022-12-01", "by": officer, "recorded_at": noon("2022-12-01")}
    for ref, role, words in (("A01", "Director", "Fewer moves"), ("A02", "Cabinet", "Seen sooner.")):
        make_update(make_action(ref, owner_role=role), **said, difference_made=words)
    make_update(make_action("A03", owner_role="Adviser"), **said)
    section = render().decode().partition("in the words of those who report</h2>")[2].partition("</p>")[0]
    assert [text_of(item.encode()) for item in re.findall("<span>(.*?)</span>", section, re.DOTALL)] == [
        "A02 ( On track ), an officer, 1 December 2022: Seen sooner.",
        "A01 ( On track ), an officer, 1 December 2022: Fewer moves",
    ]


def test_after_a_meeting_the_differences_told_are_those_reported_since(db):
    said = {"by": make_user("Officers"), "difference_made": "Fewer moves"}
    actions = [make_action(ref, recorded_at=noon("2022-10-01")) for ref in ("A01", "A02")]
    for action, day in zip(actions, ("2022-11-10", "2022-12-01"), strict=True):
        make_update(action, dated=day, recorded_at=noon(day), **said)
    coming = make_meeting(held_on=datetime.date(2022, 12, 20))

    def told():
        page = render(meeting=coming).decode()
        section = page.partition("in the words of those who report</h2>")[2].partition("<h2")[0]
        return re.findall("A0[12]", section)

    assert told() == ["A01", "A02"]
    make_meeting(held_on=datetime.date(2022, 11, 20))
    assert told() == ["A02"]
