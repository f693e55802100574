"""What every form says at a box that is wrong: in our words, by the name that its page gives the box."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.tokens import default_token_generator
from django.forms import BaseForm
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.text import capfirst

from meetings.row_forms import WAYS
from meetings.tests.day_sheet import make_agenda, send, sheet, slugs
from record.error_words import words_of_django
from record.statement_admin import StatementAdmin
from record.tests.admin_forms import held
from record.tests.factories import make_meeting, make_user
from visits.tests.factories import make_area

pytestmark = pytest.mark.once

# What can happen in a box of ours. A name is unique among rows; a number has its least and greatest.
CODES = ("required", "invalid", "invalid_choice", "invalid_pk_value", "invalid_list", "max_length", "unique")
CODES += ("min_value", "max_value", "null_characters_not_allowed")
# A box for a day says in its own way what is no day; the name of a file may be as long as it likes.
NEVER_SEEN = {"DayFormField": ("invalid",), "FileField": ("max_length",)}


def forms_in(response):
    """Every form that a page was made with, those of the rows on it among them."""
    found = {}
    for context in response.context or ():
        for values in context.dicts if hasattr(context, "dicts") else [context]:
            for value in values.values():
                if isinstance(value, BaseForm):
                    found[id(value)] = value
                for row in value if isinstance(value, list | tuple) else ():
                    if isinstance(form := getattr(row, "form", None), BaseForm):
                        found[id(form)] = form
                    if formset := getattr(row, "formset", None):
                        found |= {id(form): form for form in [*formset.forms, formset.empty_form]}
    if adminform := response.context.get("adminform"):
        found[id(adminform.form)] = adminform.form
    return list(found.values())


def wrong_words(form):
    """(box, code, words) for each of Django's own sentences that a box of ``form`` would say."""
    form.full_clean()
    found = []
    for bound in form.visible_fields():
        djangos = words_of_django(bound.field)
        skipped = NEVER_SEEN.get(type(bound.field).__name__, ())
        for code in CODES:
            said = bound.field.error_messages.get(code)
            if code not in skipped and said is not None and said == djangos.get(code):
                found.append((bound.name, code, str(said)))
    return found


def add_pages():
    """The pages of the admin that add a row, each with what it adds it about."""
    for model, page in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        if isinstance(page, StatementAdmin):
            for row in page.subject.objects.all():
                yield f"{address}?{model.subject_field}={row.pk}"
        else:
            yield address


def send_empty(client, address):
    """Open the page of the admin at ``address``, and send its form with nothing in it."""
    opened = client.get(address)
    if "adminform" not in (opened.context or ()):
        return opened
    return client.post(address, {name: n for name, n in held(opened).items() if name.endswith("_FORMS")})


@pytest.fixture
def everything(db):
    """Somebody who may do all, an officer, and a meeting that is asked one of each kind."""
    today = timezone.localdate()
    meeting = make_meeting(today, asks=("Agree the plan",))
    officer = make_user("Officers")
    make_agenda(officer, today)
    boss = make_user("Chair", "boss", is_superuser=True)
    return boss, officer, meeting


def test_no_form_says_what_django_says_of_any_form(client, everything):
    boss, officer, meeting = everything
    uid = urlsafe_base64_encode(force_bytes(officer.pk))
    pages = [client.post("/login/")]
    link = client.get(f"/login/{uid}/{default_token_generator.make_token(officer)}/", follow=True)
    pages.append(client.post(link.request["PATH_INFO"]))
    client.force_login(officer)
    pages += [client.post("/mine/"), client.post("/password/")]
    client.force_login(boss)
    pages += [client.post(address) for address in ("/assign/", "/import/", "/round/")]
    admin_pages = [*add_pages(), reverse("admin:record_meeting_change", args=[meeting.pk])]
    pages += [page for page in (send_empty(client, each) for each in admin_pages) if page.status_code == 200]
    found = [form for page in pages for form in forms_in(page)]
    kinds = {type(form).__name__ for form in found}
    assert {"SignInForm", "NewPasswordForm", "PasswordForm", "SharedForm", "FileForm"} <= kinds
    assert len(kinds) > 15
    assert {wrong for form in found for wrong in wrong_words(form)} == set()
    texts = "".join(page.content.decode() for page in pages)
    assert "This field is required" not in texts
    for form in found:
        for name, errors in form.errors.items():
            if name in form.fields and form.fields[name].required and not form[name].data:
                plain = f"“{capfirst(form[name].label)}” is needed."
                assert errors[0] == plain or errors[0].startswith(("Enter ", "Say ", "Choose ")), (
                    form,
                    errors,
                )


def test_on_the_meeting_day_sheet_an_error_names_its_box_as_the_page_does(client, everything):
    boss, _, meeting = everything
    client.force_login(boss)
    named = set()
    for slug in slugs(client, meeting).values():
        kind = sheet(client, meeting, slug).context["open_row"].kind
        for way in WAYS[kind]:
            response = send(client, meeting, {"_row": slug, "about": "It"}, slug, way.value)
            form = response.context["form"]
            assert {form.chosen.form[name].label for name in way.boxes} == set(way.boxes.values())
            for _box, error in form.box_errors:
                named |= set(re.findall("“(.*?)” is needed", error)) - set(way.boxes.values())
                assert "This field" not in error
    assert named == set()


@pytest.mark.parametrize(
    ("made", "typed", "error"),
    [
        (
            "record_meeting",
            {"held_on": "1/3/2090", "minutes_url": "here"},
            "There is already a meeting on that day.",
        ),
        ("record_meeting", {"minutes_url": "not an address"}, "Enter a whole web address, such as https://"),
        ("record_meeting", {"state": "over"}, "“over” is not one of the choices. Choose one from the list."),
        ("recommendations_action", {"recommendations": ["0"]}, "That is not one of the choices."),
        ("recommendations_action", {"earlier_misses": "two"}, "Enter a number in figures, such as 3."),
        ("recommendations_action", {"earlier_misses": "-1"}, "Enter 0 or more."),
        ("recommendations_action", {"ref": "A" * 30}, "Use 10 characters or fewer."),
        ("recommendations_action", {"ref": "A01"}, "Another action has this reference number already."),
        ("auth_user", {"email": "somebody"}, "Enter a whole e-mail address, such as name@example.org."),
    ],
)
def test_what_is_wrong_with_a_box_is_said_plainly(client, everything, made, typed, error):
    client.force_login(everything[0])
    make_meeting("2090-03-01")
    response = client.post(reverse(f"admin:{made}_add"), typed)
    form = response.context["adminform"].form
    first = next(iter(typed))
    assert form.errors[first][0].startswith(error), form.errors


def test_of_what_a_framework_has_already_is_said_which_it_is(client, everything):
    client.force_login(everything[0])
    framework = make_area(name="Leaders").framework
    twice = {"framework": framework.pk, "order": 9}
    for made, typed, said in (
        ("grade", {"key": "good", "name": "Good"}, "This framework already has a grade with this key."),
        (
            "judgementarea",
            {"key": "led", "name": "Leaders"},
            "This framework already grades an area of this name.",
        ),
    ):
        response = client.post(reverse(f"admin:visits_{made}_add"), {**twice, **typed})
        assert response.context["adminform"].form.errors == {"__all__": [said]}
