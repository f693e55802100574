"""Signing in and out, setting one's password (Django's views, with the board's pages), and one's account."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import forms, views
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bcp_board import signing_in, tokens
from bcp_board.middleware import save_session
from bcp_board.models import Purpose, Token
from bcp_board.sending import addresses_changed_lately
from record import security_log
from record.dates import say_moment
from record.error_words import say_plainly
from record.forms import hold
from record.signing import name_of, role_of

# The name of no account can have a space in it.
NOBODY = "nobody at all"
WAIT = "Wait 15 minutes, then try again. If you cannot wait, ask an administrator."


class SignInForm(forms.AuthenticationForm):
    error_messages = {
        **forms.AuthenticationForm.error_messages,
        "invalid_login": "The username or the password is wrong. Check both; capital letters count.",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = f"Enter your {name}."
        say_plainly(self)


def record_failure(event, request, made, username):
    """Log that the SignInTry ``made`` failed, and the lock if it is the one that locked its account."""
    account = signing_in.short_key(username)
    security_log.record(event, request=request, outcome="failed", account=account)
    if signing_in.has_just_locked(made):
        security_log.record("sign-in locked", request=request, outcome="locked", account=account)


class LoginView(views.LoginView):
    """Sign in, as often as signing_in.py allows."""

    authentication_form = SignInForm
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def get_redirect_url(self):
        """Where the visitor was going, or "" where that leads back here or out again."""
        address = super().get_redirect_url()
        return "" if urlsplit(address).path in (reverse("login"), reverse("logout")) else address

    def post(self, request, *args, **kwargs):
        username = request.POST.get("username", "")
        account = signing_in.short_key(username)
        made = signing_in.begin(username, security_log.address_of(request), at=timezone.now())
        if made is None:
            # An answer without hashing a password is quicker, which would tell it from a failure.
            SignInForm(request, {"username": NOBODY, "password": request.POST.get("password", "")}).is_valid()
            security_log.record("sign-in", request=request, outcome="locked", account=account)
            return self.locked(username)
        # The password is hashed before the transaction begins, which every other writer to SQLite waits for.
        form = self.get_form()
        if form.is_valid():
            with transaction.atomic():
                response = self.form_valid(form)
                self.tell_of_address(form.get_user())
                signing_in.succeed(made)
                save_session(request, response)
            return response
        record_failure("sign-in", request, made, username)
        return self.locked(username) if made.from_busy_address else self.form_invalid(form)

    def tell_of_address(self, user):
        """Tell whoever signs in that their e-mail address was changed, for some weeks after it was."""
        for at in addresses_changed_lately(user, now=timezone.now()):
            messages.warning(
                self.request,
                f"Your e-mail address was changed on {say_moment(at)}. If you did not ask for that, "
                "tell the board’s secretariat.",
            )

    def locked(self, username):
        """The page that says to wait, with the name that was typed."""
        form = SignInForm(self.request, initial={"username": username})
        context = self.get_context_data(
            form=form, problem=f"There have been too many tries to sign in. {WAIT}"
        )
        return self.render_to_response(context, status=429)


class NewPasswordForm(forms.SetPasswordForm):
    error_messages = {
        "password_mismatch": "“New password again” is not the same as “New password”. Type both again."
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].error_messages["required"] = "Enter a new password."
        self.fields["new_password2"].error_messages["required"] = "Enter the new password again."
        say_plainly(self)


class PasswordForm(NewPasswordForm, forms.PasswordChangeForm):
    error_messages = {
        **NewPasswordForm.error_messages,
        "password_incorrect": "Your present password is wrong. Type it again; capital letters count.",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["old_password"].error_messages["required"] = "Enter your present password."


class LogoutView(views.LogoutView):
    """Sign out, and have the browser forget what it showed: people share computers."""

    def get_redirect_url(self):
        """ "", so that it leads to the sign-in page whatever a form asks for."""
        return ""

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return response


class PasswordView(views.PasswordChangeView):
    """Change one's own password. Every other session of the account ends; this one goes on.

    The present password can be tried as often as at sign-in, and in the same counting: somebody who finds
    a computer signed in must not guess on here.
    """

    form_class = PasswordForm
    template_name = "registration/password_change_form.html"
    success_url = settings.LOGIN_REDIRECT_URL

    def post(self, request, *args, **kwargs):
        if not request.POST.get("old_password"):
            return super().post(request, *args, **kwargs)
        # Of many tries at once each must see those before it, which no transaction shows until it ends.
        hold(User.objects.filter(pk=request.user.pk))
        username, address = request.user.get_username(), security_log.address_of(request)
        made = signing_in.begin(username, address, at=timezone.now())
        if made is None:
            security_log.record("password change", request=request, outcome="locked")
            problem = f"There have been too many tries with a wrong password. {WAIT}"
            context = self.get_context_data(form=PasswordForm(request.user), problem=problem)
            return self.render_to_response(context, status=429)
        form = self.get_form()
        if form.has_error("old_password"):
            record_failure("password change", request, made, username)
            return self.form_invalid(form)
        signing_in.succeed(made)
        return self.form_valid(form) if form.is_valid() else self.form_invalid(form)

    def form_valid(self, form):
        messages.success(self.request, "Your password has been changed.")
        tokens.revoke(self.request.user, request=self.request)
        security_log.record("password change", request=self.request)
        return super().form_valid(form)


class OneTimeLinkView(views.PasswordResetConfirmView):
    """Set a password by a link that works once, for a day. It signs nobody in."""

    form_class = NewPasswordForm
    template_name = "registration/password_reset_confirm.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form):
        messages.success(self.request, "Your password has been set. You can sign in with it now.")
        request, username = self.request, form.user.get_username()
        tokens.revoke(form.user, request=request)
        security_log.record("password set", request=request, user=form.user)
        forgotten = signing_in.let_in(username, security_log.address_of(request), at=timezone.now())
        if forgotten:
            account = signing_in.short_key(username)
            security_log.record(
                "sign-in unlocked", request=request, user=form.user, account=account, tries=forgotten
            )
        return super().form_valid(form)


@require_http_methods(["GET", "HEAD", "POST"])
def account(request):
    """Say to whoever is signed in who they are here, and make or revoke the tokens that read for them.

    A new token is shown in the answer to the form that made it: nothing else keeps it. What was shown beside
    a form comes with it, so that it stays on the page until the reader leaves that.
    """
    secrets = {}
    if request.method == "POST":
        purpose, asked = request.POST.get("purpose"), request.POST.get("do")
        if purpose not in Purpose.values or asked not in ("make", "revoke"):
            raise BadRequest(
                "A token for the figures or the calendar can be made or revoked, and nothing else."
            )
        if asked == "revoke":
            tokens.revoke(request.user, purpose, request=request)
            messages.success(
                request, f"{Purpose(purpose).label}: revoked. What was made before opens nothing."
            )
        else:
            secrets[purpose] = tokens.make(request.user, purpose, request=request)
        shown = request.POST.get("shown", "")
        if other := Token.objects.filter(user=request.user, digest=tokens.hashed(shown)).first():
            secrets[other.purpose] = shown
        if not secrets:
            return redirect("account")
    kept = {token.purpose: token for token in Token.objects.filter(user=request.user)}
    context = {
        "name": name_of(request.user),
        "role": role_of(request.user),
        "version": settings.VERSION,
        "tokens": [
            (purpose, kept.get(purpose), secrets.get(purpose), [secrets[p] for p in secrets if p != purpose])
            for purpose in Purpose
        ],
        "position_url": request.build_absolute_uri(reverse("position_json")),
        "calendar_url": request.build_absolute_uri(reverse("calendar")),
    }
    return render(request, "account.html", context)


login = LoginView.as_view()
logout = LogoutView.as_view()
password = PasswordView.as_view()
one_time_link = OneTimeLinkView.as_view()
