"""The pages on which inspections and visits are kept, with their grades and findings."""

import pytest
from django.urls import reverse

from record.tests.admin_forms import errors_of, fill_in, open_form
from record.tests.factories import make_document
from visits.models import Finding, Judgement, Visit
from visits.tests.factories import make_area, make_finding, make_grade, make_visit

pytestmark = [pytest.mark.django_db, pytest.mark.again]
INLINES = {
    f"{prefix}-{name}": value
    for prefix in ("judgements", "findings")
    for name, value in (("INITIAL_FORMS", "0"), ("MIN_NUM_FORMS", "0"), ("MAX_NUM_FORMS", "1000"))
}


def grade(area, prefix="judgements-0-"):
    values = {"area": area.pk, "grade": make_grade().pk, "document": make_document().pk, "reference": "p1"}
    return {f"{prefix}{name}": value for name, value in values.items()}


def priority(prefix="findings-0-"):
    values = {
        "ref": "F01",
        "kind": "priority",
        "attribution": "ofsted",
        "text": "Act now",
        "document": make_document().pk,
        "reference": "p1",
    }
    return {f"{prefix}{name}": value for name, value in values.items()}


def new_visit(kind, **inline):
    return {
        "slug": "new",
        "kind": kind,
        "number": "0",
        "authority": "BCP Council",
        "dates": "May 2022",
        "document": make_document().pk,
        "reference": "p1",
        **INLINES,
        "judgements-TOTAL_FORMS": "1" if any(name.startswith("j") for name in inline) else "0",
        "findings-TOTAL_FORMS": "1" if any(name.startswith("f") for name in inline) else "0",
        **inline,
    }


def inline_errors(response):
    return [
        dict(form.errors)
        for inline in response.context["inline_admin_formsets"]
        for form in inline.formset.forms
        if form.errors
    ]


@pytest.mark.parametrize("kind", ["focused", "monitoring", "diagnostic"])
def test_a_grade_on_a_visit_that_is_not_graded_is_refused_at_its_field(secretariat, kind):
    words = dict(Visit._meta.get_field("kind").choices)[kind].lower()
    refusal = {"grade": [f"A {words} is not graded. Only full and short inspections have grades."]}
    area, visit = make_area(), make_visit(kind=kind)

    with_new_visit = secretariat.post(reverse("admin:visits_visit_add"), new_visit(kind, **grade(area)))
    page = reverse("admin:visits_visit_change", args=[visit.pk])
    on_its_page = fill_in(secretariat, page, **{**grade(area), "judgements-TOTAL_FORMS": "1"})
    alone = secretariat.post(
        reverse("admin:visits_judgement_add"), {**grade(area, ""), "visit": visit.pk, "opened_on": ""}
    )

    assert inline_errors(with_new_visit) == [refusal]
    assert inline_errors(on_its_page) == [refusal]
    assert errors_of(alone) == refusal
    assert (Judgement.objects.count(), Visit.objects.count()) == (0, 1)


def test_an_inspection_is_entered_with_its_grades_on_one_page(secretariat):
    response = secretariat.post(reverse("admin:visits_visit_add"), new_visit("full", **grade(make_area())))

    assert response.status_code == 302
    assert [str(row) for row in Judgement.objects.all()] == ["Leaders: Good"]
    assert Judgement.history.get().history_user.username == "secretariat"


@pytest.mark.parametrize("kind", ["full", "monitoring"])
def test_only_a_focused_visit_takes_an_area_for_priority_action(secretariat, kind):
    refusal = {"kind": ["Only a focused visit by Ofsted can set an area for priority action."]}
    visit = make_visit(kind=kind)

    with_new_visit = secretariat.post(reverse("admin:visits_visit_add"), new_visit(kind, **priority()))
    alone = secretariat.post(
        reverse("admin:visits_finding_add"), {**priority(""), "visit": visit.pk, "opened_on": ""}
    )

    assert inline_errors(with_new_visit) == [refusal]
    assert errors_of(alone) == refusal
    assert Finding.objects.count() == 0
    added = secretariat.post(reverse("admin:visits_visit_add"), new_visit("focused", **priority()))
    assert added.status_code == 302
    assert Finding.objects.get().visit.kind == "focused"


def test_a_change_on_a_visits_page_by_someone_else_is_noticed(secretariat):
    visit = make_visit(kind="focused")
    finding = make_finding(visit=visit)
    page = reverse("admin:visits_visit_change", args=[visit.pk])
    held = open_form(secretariat, page)
    fill_in(secretariat, reverse("admin:visits_finding_change", args=[finding.pk]), text="Changed meanwhile")

    response = secretariat.post(page, {**held, "theme": "Front door"})

    assert "changed findings on" in errors_of(response)[""][0]
    finding.refresh_from_db()
    assert finding.text == "Changed meanwhile"


def test_the_ends_of_lines_that_a_browser_sends_are_no_change(secretariat):
    text = "First line.\nSecond line."
    visit = make_visit(note=text)
    page = reverse("admin:visits_visit_change", args=[visit.pk])
    versions, sent = visit.history.count(), text.replace("\n", "\r\n")

    assert fill_in(secretariat, page, note=sent).status_code == 302
    assert (Visit.objects.get().note, visit.history.count()) == (text, versions)
    assert fill_in(secretariat, page, note=f"{sent}\r\nThird.", theme="Front door").status_code == 302
    assert Visit.objects.get().note == f"{text}\nThird."


def test_imprecise_dates_pass_through_the_form_unchanged(secretariat):
    visit = make_visit(dates="2022-10-04/2022-10-05", published="[2022-10-06..]")

    fill_in(secretariat, reverse("admin:visits_visit_change", args=[visit.pk]), theme="Front door")

    visit.refresh_from_db()
    assert (visit.theme, visit.dates, visit.published) == (
        "Front door",
        "2022-10-04/2022-10-05",
        "[2022-10-06..]",
    )


def test_a_key_that_is_part_of_an_address_cannot_be_changed(secretariat):
    visit = make_visit()

    fill_in(secretariat, reverse("admin:visits_visit_change", args=[visit.pk]), slug="other")

    assert Visit.objects.get().slug == "visit"
