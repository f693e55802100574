"""Signing in: how often it may be tried, where it leads, and other ways in."""

import datetime
import re
import time

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from bcp_board import signing_in
from bcp_board.models import SignInTry
from recommendations.tests.test_admin_conflicts import in_threads
from record.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.again]
GOOD, OTHER, BAD = "three unrelated words", "another three words", "not the right one"


@pytest.fixture
def ann():
    return with_password("ann")


def with_password(username, password=GOOD, role="Board members", **fields):
    user = make_user(role, username, **fields)
    user.set_password(password)
    user.save()
    return user


def sign_in(username, password=GOOD, client=None, next="", **more):
    typed = {"username": username, "password": password, "next": next}
    return (client or Client()).post("/login/", typed, **more)


def fail(username, times, **more):
    return [sign_in(username, BAD, **more).status_code for _ in range(times)]


def signed_in(username="ann"):
    client = Client()
    assert sign_in(username, client=client).status_code == 302
    return client


def is_in(client):
    return client.get("/password/").status_code == 200


def test_after_five_wrong_passwords_an_account_is_locked_even_to_the_right_one(ann):
    assert fail("ann", 5) == [200] * 5

    locked = sign_in("ann")

    assert locked.status_code == 429
    assert fail("ANN ", 1) == [429]


def test_a_lock_is_said_as_every_other_error_and_keeps_the_name_that_was_typed(ann):
    fail("ann", 5)

    locked = sign_in("ann").content.decode()

    assert "<title>Error: Sign in" in locked
    summary = re.search('<div class="govuk-error-summary".*?</ul>', locked, re.DOTALL)[0]
    assert re.findall('<a href="#id_username">(.*?)</a>', summary) == [
        "There have been too many tries to sign in. Wait 15 minutes, then try again. "
        "If you cannot wait, ask an administrator."
    ]
    assert 'value="ann"' in locked
    assert BAD not in locked


def test_a_right_password_forgets_the_wrong_ones_before_it(ann):
    assert fail("ann", 4) == [200] * 4
    assert sign_in("ann").status_code == 302
    assert fail("ann", 5) == [200] * 5
    assert fail("ann", 1) == [429]


def test_a_locked_account_does_not_lock_out_a_colleague_at_the_same_address(ann):
    with_password("bob")
    fail("ann", 10)

    assert sign_in("ann").status_code == 429
    assert sign_in("bob").status_code == 302


def test_one_password_tried_on_a_hundred_accounts_is_cut_off_and_known_colleagues_still_get_in(ann):
    signed_in("ann")
    with_password("bob")

    statuses = [sign_in(f"person{number}", BAD).status_code for number in range(100)]

    assert statuses == [200] * 40 + [429] * 60
    assert sign_in("ann").status_code == 302
    assert sign_in("bob").status_code == 429
    assert sign_in("bob", REMOTE_ADDR="10.0.0.9").status_code == 302


def test_an_address_that_the_visitor_claims_changes_nothing(ann):
    for number in range(5):
        fail("ann", 1, headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.1.{number}"})

    assert sign_in("ann", headers={"X-Forwarded-For": "10.9.9.9"}).status_code == 429
    assert set(SignInTry.objects.values_list("address", flat=True)) == {"127.0.0.1"}


def test_fifty_claimed_addresses_are_one_address_in_the_counting(ann):
    statuses = [
        sign_in(f"person{number}", BAD, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(50)
    ]

    assert statuses == [200] * 40 + [429] * 10


def test_a_name_that_is_too_long_is_answered_at_once_as_any_wrong_one_and_counted(ann):
    # Python takes half a minute to normalise this.
    endless = "a" + "\u0315" * 100_000 + "\u0300" * 100_000
    begun = time.monotonic()

    statuses = [sign_in(f"{endless}{number}", BAD).status_code for number in range(2)]

    assert time.monotonic() - begun < 5
    assert statuses == [200] * 2
    tries = SignInTry.objects.values_list("address", "succeeded")
    assert list(tries) == [("127.0.0.1", False)] * 2
    assert len(set(SignInTry.objects.values_list("account", flat=True))) == 2


def test_a_name_is_counted_as_django_reads_it():
    longest = "ﬁ" * signing_in.LONGEST_NAME

    assert User._meta.get_field("username").max_length == signing_in.LONGEST_NAME
    assert signing_in.account_key(f"  {longest} ") == signing_in.account_key("FI" * signing_in.LONGEST_NAME)
    assert signing_in.account_key(" " * 1000 + "ａｎｎ") == signing_in.account_key("ann")


def test_an_old_hash_of_a_password_is_renewed_at_sign_in(ann, settings):
    assert ann.password.startswith("md5$")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    assert sign_in("ann").status_code == 302

    ann.refresh_from_db()
    assert ann.password.startswith("pbkdf2_sha256$1000000$")


def test_a_lock_ends_by_itself_after_its_window(ann):
    fail("ann", 6)
    almost = signing_in.WINDOW - datetime.timedelta(seconds=30)
    SignInTry.objects.update(at=timezone.now() - almost)
    assert sign_in("ann").status_code == 429

    SignInTry.objects.update(at=timezone.now() - signing_in.WINDOW)

    assert sign_in("ann").status_code == 302
    assert datetime.timedelta(minutes=15) == signing_in.WINDOW


def test_tries_while_locked_do_not_make_the_lock_last_longer(ann):
    fail("ann", 20)

    assert SignInTry.objects.filter(succeeded=False).count() == 5


def test_the_unlock_command_lets_an_account_in_at_once(ann, capsys):
    fail("ann", 5)

    call_command("unlock", "Ann")

    assert "Forgot 5 failed tries." in capsys.readouterr().out
    assert sign_in("ann").status_code == 302


@pytest.mark.parametrize("name", ["nobodyhere", "ann\udcff"])
def test_nothing_is_said_to_be_unlocked_for_no_account(ann, name):
    with pytest.raises(CommandError, match="There is no account of this name. Nothing was changed."):
        call_command("unlock", name)


def test_the_count_is_in_the_database_where_every_worker_and_restart_finds_it(ann):
    fail("ann", 3)

    rows = SignInTry.objects.values_list("account", "address", "succeeded")
    assert list(rows) == [(signing_in.account_key("ann"), "127.0.0.1", False)] * 3
    assert "ann" not in signing_in.account_key("ann")


def test_a_lock_is_logged_once(ann, log):
    log()
    fail("ann", 9)

    events = [(line["event"], line["outcome"]) for line in log()]
    assert (
        events == [("sign-in", "failed")] * 5 + [("sign-in locked", "locked")] + [("sign-in", "locked")] * 4
    )


def test_tries_at_once_are_counted_before_any_password_is_looked_at():
    now = timezone.now()

    begun = [signing_in.begin("ann", "127.0.0.1", at=now) for _ in range(8)]

    assert [made is not None for made in begun] == [True] * 5 + [False] * 3


def page(username, password):
    """All that the answer to a try shows, but for the name that was typed."""
    response = sign_in(username, password)
    text = response.content.decode().replace(username, "NAME")
    token = str(response.context["csrf_token"])
    names = sorted(response.headers), sorted(response.cookies)
    return response.status_code, names, text.replace(token, "TOKEN")


def test_nobody_learns_from_a_failure_which_accounts_there_are():
    with_password("xxgone", is_active=False)
    User.objects.create(username="xxunset").set_unusable_password()
    with_password("xxann")
    pages = [page("xxann", BAD), page("xxnobody", GOOD), page("xxgone", GOOD), page("xxunset", GOOD)]
    assert pages == [pages[0]] * 4
    assert pages[0][0] == 200


class CountedHasher(MD5PasswordHasher):
    """Counts how often a password was hashed, which is what takes time at sign-in."""

    times = 0

    def encode(self, *args):
        CountedHasher.times += 1
        return super().encode(*args)


def test_nobody_learns_from_a_busy_address_which_accounts_there_are(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    for name in ("xxknown", "xxclosed", "xxelsewhere"):
        with_password(name)
        sign_in(name, REMOTE_ADDR="10.0.0.9" if name == "xxelsewhere" else "127.0.0.1")
    User.objects.filter(username="xxclosed").update(is_active=False)
    for number in range(38):
        fail(f"person{number}", 1)
    assert [fail(name, 1) for name in ("xxknown", "xxnobody", "xxknown")] == [[200], [200], [429]]

    def answer(username, password):
        before = CountedHasher.times
        return (*page(username, password), CountedHasher.times - before)

    names = ("xxknown", "xxclosed", "xxelsewhere", "xxnobody")
    tries = [(name, BAD) for name in names for _ in range(signing_in.ACCOUNT_LIMIT + 2)]
    answers = [answer(*one) for one in [*tries, ("xxelsewhere", GOOD)]]
    nothing_typed = [answer(name, "") for name in names]

    assert answers == [answers[0]] * len(answers)
    assert (answers[0][0], answers[0][-1]) == (429, 1)
    assert nothing_typed == [(*answers[0][:-1], 0)] * len(names)


def change_password(client, present, new=OTHER, **more):
    typed = {"old_password": present, "new_password1": new, "new_password2": new}
    return client.post("/password/", typed, **more)


def test_the_present_password_can_be_guessed_no_more_often_than_at_sign_in(ann, log):
    client = signed_in()
    log()

    guesses = [change_password(client, BAD).status_code for _ in range(7)]
    locked = change_password(client, GOOD)

    assert guesses == [200] * 5 + [429] * 2
    assert locked.status_code == 429
    page = locked.content.decode()
    assert "<title>Error: Change your password" in page
    assert "There have been too many tries with a wrong password. Wait 15 minutes, then try again." in page
    assert is_in(client)
    assert sign_in("ann").status_code == 429
    ann.refresh_from_db()
    assert ann.check_password(GOOD)
    lines = [(line["event"], line["outcome"], line["user"]) for line in log()]
    failed, refused = ("password change", "failed", ann.pk), ("password change", "locked", ann.pk)
    locking = ("sign-in locked", "locked", ann.pk)
    assert lines == [*[failed] * 5, locking, *[refused] * 3, ("sign-in", "locked", None)]


def test_guesses_at_sign_in_count_where_the_password_is_changed(ann):
    client = signed_in()
    fail("ann", 4)

    assert [change_password(client, BAD).status_code for _ in range(2)] == [200, 429]


@pytest.mark.django_db(transaction=True)
def test_guesses_of_the_present_password_at_one_moment_are_counted_as_if_in_turn():
    with_password("ann")
    clients = [signed_in() for _ in range(8)]

    answers = in_threads(lambda client: change_password(client, BAD).status_code, clients)

    assert sorted(answers) == [200] * 5 + [429] * 3


def test_a_right_present_password_is_no_failure_whatever_the_new_one_is(ann):
    client = signed_in()
    for _ in range(7):
        assert change_password(client, GOOD, new="short").status_code == 200
    for _ in range(7):
        assert change_password(client, "").status_code == 200
    fail("ann", 4)
    change_password(client, GOOD, new="short")

    assert not SignInTry.objects.filter(succeeded=False).exists()
    assert change_password(client, GOOD).status_code == 302


def link_for(user):
    return f"/login/{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}/"


def is_live(link):
    return Client().get(link).status_code == 302


def test_a_one_time_link_dies_with_its_use_and_with_any_other_change_of_password(ann):
    link, second = link_for(ann), link_for(ann)
    visitor = Client()
    form = visitor.get(link).url
    assert visitor.post(form, {"new_password1": OTHER, "new_password2": OTHER}).status_code == 302
    assert (is_live(link), is_live(second)) == (False, False)

    ann.refresh_from_db()
    link = link_for(ann)
    assert is_live(link)
    ann.set_password(GOOD)
    ann.save()
    assert not is_live(link)


@pytest.mark.parametrize("why", ["its own failures", "those at its address"])
def test_a_one_time_link_lets_an_account_in_that_was_locked(ann, log, why):
    fail("ann", 5, REMOTE_ADDR="10.0.0.9")
    for number in range(40 if why == "those at its address" else 0):
        fail(f"person{number}", 1)
    assert sign_in("ann").status_code == 429
    visitor = Client()
    form = visitor.get(link_for(ann)).url
    log()

    assert visitor.post(form, {"new_password1": OTHER, "new_password2": "x"}).status_code == 200
    assert sign_in("ann").status_code == 429
    assert visitor.post(form, {"new_password1": OTHER, "new_password2": OTHER}).status_code == 302

    assert "You can sign in with it now." in visitor.get("/login/").content.decode()
    assert sign_in("ann", OTHER, client=visitor).status_code == 302
    lines = [(line["event"], line["outcome"], line["user"], line.get("tries")) for line in log()]
    assert lines == [
        ("sign-in", "locked", None, None),
        ("password set", "ok", ann.pk, None),
        ("sign-in unlocked", "ok", ann.pk, 5),
        ("sign-in", "ok", ann.pk, None),
    ]


def test_a_one_time_link_dies_after_a_day_and_when_the_account_is_signed_in_to(ann, settings):
    link = link_for(ann)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert not is_live(link)
    settings.PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
    assert is_live(link)

    signed_in("ann")

    assert not is_live(link)


ELSEWHERE = [
    f"{prefix}{host}{rest}"
    for host in (
        "example.org",
        "testserver.example.org",
        "testserver@example.org",
        "example.org%2f@testserver",
    )
    for rest in ("", "/", "/actions/")
    for prefix in (
        "//",
        "///",
        "////",
        "/\\",
        "\\\\",
        "/\\/",
        "http://",
        "https://",
        "HTTP://",
        "http:///",
        "http:",
        "https:/",
        "ftp://",
        "\t//",
        " //",
        "/\t/",
        "//\n",
    )
] + ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:alert(1)", "http://[", "\x00//example.org"]


@pytest.mark.once
def test_signing_in_never_leads_to_another_site(ann):
    assert len(ELSEWHERE) > 200
    inside = signed_in()
    for payload in ELSEWHERE:
        client = Client()
        posted = client.post("/login/", {"username": "ann", "password": GOOD, "next": payload})
        assert (posted.status_code, posted.url) == (302, "/"), payload
        already = inside.get("/login/", {"next": payload})
        assert (already.status_code, already.headers.get("Location", "/")) in ((302, "/"), (400, "/")), (
            payload
        )


@pytest.mark.once
@pytest.mark.parametrize(
    "odd",
    [
        "/login/",
        "/login/?next=/login/",
        "/login/?next=%2Flogin%2F%3Fnext%3D%2Flogin%2F",
        "/login/#main",
        "//testserver/login/",
        "http://testserver/login/",
        "HTTP://TESTSERVER/login/",
        " /login/",
        "/login",
        "/%6cogin/",
        "/logout/",
        "/logout/?next=/login/",
        "http://testserver/logout/",
    ],
)
def test_an_address_that_leads_back_to_signing_in_or_out_leads_home(ann, odd):
    client = Client()

    first = sign_in("ann", client=client, next=odd, follow=True)
    again = client.get("/login/", {"next": odd}, follow=True)

    ends = [(page.request["PATH_INFO"], page.status_code) for page in (first, again)]
    assert ends == [("/", 200)] * 2


def test_signing_out_leads_to_signing_in_whatever_it_is_asked(ann):
    for odd in ("/logout/", "/help/", "//example.org", ""):
        done = signed_in().post(f"/logout/?next={odd}", {"next": odd})

        assert (done.status_code, done.url) == (302, "/login/")


class NotedHasher(MD5PasswordHasher):
    """Notes whether each password is hashed inside a transaction or outside."""

    hashed = []

    def encode(self, password, salt):
        self.hashed.append("inside" if connection.in_atomic_block else "outside")
        return super().encode(password, salt)


@pytest.mark.once
def test_a_sign_in_is_two_commits_and_hashes_in_neither(new_database, settings):
    """On SQLite each keeps every other writer waiting."""
    settings.PASSWORD_HASHERS = [f"{__name__}.NotedHasher"]
    NotedHasher.hashed.clear()
    commits = []

    def note(execute, sql, params, many, context):
        is_write = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if sql.startswith("BEGIN") or is_write and not context["connection"].in_atomic_block:
            commits.append(sql.partition('"')[0])
        return execute(sql, params, many, context)

    with new_database("migrated") as database:
        with_password("ann")
        with database.execute_wrapper(note):
            response = sign_in("ann")
        assert response.status_code == 302
    assert commits == ["INSERT INTO ", "BEGIN IMMEDIATE"]
    assert NotedHasher.hashed == ["outside", "outside"]  # as the account was made, and as she signed in
