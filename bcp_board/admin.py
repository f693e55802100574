"""Where administrators make accounts and hand out the links by which people set their passwords."""

import hashlib
import json
import re

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied
from django.db.models import Case, When
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlsafe_base64_encode
from django.utils.text import get_text_list

from bcp_board import tokens
from bcp_board.roles import IN_WORDS, works_in_admin
from bcp_board.sending import address_changed
from recommendations.models import Action
from record import security_log
from record.admin import BoardAdmin
from record.forms import NOT_WHOLE, OpenedForm, hold
from record.signing import name_of
from record.texts import refuse_directions

admin.site.unregister(User)
admin.site.unregister(Group)

SUPERUSERS_ONLY = ("is_superuser",)
RUNS_THE_SITE = "Runs the site"
# Roles and permissions log themselves, whoever changes them.
LOGGED = {
    "username": "account renamed",
    "first_name": "account renamed",
    "last_name": "account renamed",
    "email": "e-mail address changed",
    "is_active": "rights changed",
    "is_superuser": "rights changed",
}


class RolesField(forms.ModelMultipleChoiceField):
    """The roles, each a box to tick with what its holders may do, the one that may least first."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, queryset, **kwargs):
        places = (When(name=name, then=place) for place, name in enumerate(IN_WORDS))
        super().__init__(queryset.order_by(Case(*places, default=len(IN_WORDS))), **kwargs)

    def label_from_instance(self, role):
        return f"{role.name}: {IN_WORDS[role.name]}" if role.name in IN_WORDS else role.name


class UserForm(OpenedForm):
    """The form of an account; its token is a hash of all that the form can change."""

    class Meta:
        labels = {
            "first_name": "First name",
            "last_name": "Last name",
            "email": "E-mail address",
            "groups": "Roles",
            "is_active": "The account is open",
            "is_superuser": RUNS_THE_SITE,
        }
        help_texts = {
            "username": "What they type to sign in. Letters, digits and @ . + - _ only.",
            "email": "Where reminders go. If it is changed, the earlier address is told.",
            "groups": "Tick what this person does, which mostly is one. Without any they only read.",
            "is_active": "Clear this when somebody leaves. What they recorded stays under their name. "
            "Their password goes for good: if the account is opened again, make a one-time link.",
            "is_superuser": "May do all that any role may, and give that right to others. It is for "
            "whoever runs the server, and for nobody on the board.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            if name in self.fields:
                self.fields[name].required = True

    def clean_first_name(self):
        refuse_directions(self.cleaned_data["first_name"])
        return self.cleaned_data["first_name"]

    def clean_last_name(self):
        refuse_directions(self.cleaned_data["last_name"])
        return self.cleaned_data["last_name"]

    def clean_email(self):
        if not self.cleaned_data["email"].isascii():
            raise forms.ValidationError("Use plain letters only: others can look the same.")
        return self.cleaned_data["email"]

    def clean_username(self):
        """A name that nobody can take for another's: of plain letters, whatever their case."""
        name = self.cleaned_data["username"]
        if not name.isascii():
            raise forms.ValidationError(
                "Use the letters A to Z, digits and @ . + - _ only: other letters can look the same."
            )
        others = User.objects.exclude(pk=self.instance.pk)
        if found := others.filter(username__iexact=name).first():
            raise forms.ValidationError(f"There is an account called {found.username} already.")
        return name

    def lock(self):
        hold(User.objects.filter(pk=self.instance.pk))

    def newest(self):
        if not self.instance.pk:
            return ""
        user = User.objects.get(pk=self.instance.pk)
        names = [user.username, user.first_name, user.last_name, user.email]
        names += [user.is_active, user.is_superuser]
        kinds = (user.groups, user.user_permissions)
        held = [sorted(kind.values_list("pk", flat=True)) for kind in kinds]
        return hashlib.sha256(json.dumps([names, held]).encode()).hexdigest()

    def what_happened(self, opened_on, newest):
        """Who changed the account since the form was opened, and what it says now."""
        if not re.fullmatch("[0-9a-f]{64}", opened_on):
            return [NOT_WHOLE]
        user = User.objects.get(pk=self.instance.pk)
        same_account = {"content_type__app_label": "auth", "content_type__model": "user"}
        changes = LogEntry.objects.filter(object_id=str(user.pk), action_flag=CHANGE, **same_account)
        last = changes.select_related("user").order_by("-pk").first()
        by = f"{name_of(last.user)} changed this account" if last else "This account was changed"
        roles = get_text_list(sorted(group.name for group in user.groups.all()), "and") or "no role"
        state = "open" if user.is_active else "closed"
        return [
            f"{by} after you opened this form. It is now {user.get_full_name()} ({user.get_username()}), "
            f"{state}, with {roles}."
        ]


@admin.register(User)
class UserAdmin(BoardAdmin):
    """Accounts: made, given roles and closed, never deleted. No page here shows or sets a password."""

    form = UserForm
    change_form_template = "admin/auth/user/change_account.html"
    list_display = ["username", "first_name", "last_name", "roles", "is_active", "last_login"]
    list_filter = ["is_active", "groups"]
    search_fields = ["username", "first_name", "last_name"]
    ordering = ["username"]

    def get_fieldsets(self, request, obj=None):
        fields = ["username", "first_name", "last_name", "email", "groups"]
        if obj:
            fields += ["is_active"]
        if obj and request.user.is_superuser:
            fields += SUPERUSERS_ONLY
        return [(None, {"fields": fields})]

    def has_change_permission(self, request, obj=None):
        """Whether this person may change accounts; only a superuser changes a superuser's."""
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def add_view(self, request, form_url="", extra_context=None):
        # The page that comes next shows the link, once, and leads on.
        ways_on = {
            "title": "Make an account",
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        return super().add_view(request, form_url, {**ways_on, **(extra_context or {})})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The page of one account, with the actions that would be left to nobody if it were closed."""
        actions = Action.objects.as_at(request.as_at).filter(is_open=True).order_by("ref")
        # Not looked for before Django has found the account that the address names.
        owned = SimpleLazyObject(lambda: list(actions.filter(owner_id=object_id)))
        # Nothing here gives an account any, but what runs on the server can.
        own_rights = SimpleLazyObject(lambda: list(Permission.objects.filter(user=object_id)))
        context = {"title": "Account", "owned": owned, "own_rights": own_rights, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "groups":
            kwargs |= {"form_class": RolesField, "widget": forms.CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        # Django asks is_staff, not the groups, who may open the admin; roles are chosen in one place only.
        user = form.instance
        user.is_staff = works_in_admin(user)
        if change and "is_active" in form.changed_data:
            self.end_secrets(request, user)
        user.save(update_fields=["is_staff", "password"])
        if change:
            self.log_changes(request, form)

    def end_secrets(self, request, user):
        """End all that opened an account that is closed: else it would open it again one day.

        Its sessions and one-time links end with its password. An account may have been closed in another way,
        so that this is done where one is opened too.
        """
        user.set_unusable_password()
        tokens.revoke(user, request=request)

    def log_changes(self, request, form):
        """Log what the account was called, and whether it was open, before and now; roles log themselves."""
        for name in form.changed_data:
            if event := LOGGED.get(name):
                facts = {"field": name, "was": form.initial[name], "now": form.cleaned_data[name]}
                self.log_account(event, request, form.instance, **facts)
        if "email" in form.changed_data:
            address_changed(form.instance, was=form.initial["email"], now=timezone.now())

    def log_account(self, event, request, user, **facts):
        security_log.record(
            event, request=request, object=f"user {user.pk}", name=user.get_username(), **facts
        )

    def get_urls(self):
        link = path("<int:pk>/link/", self.admin_site.admin_view(self.one_time_link), name="auth_user_link")
        return [link, *super().get_urls()]

    def one_time_link(self, request, pk):
        """Show, once, a link by which the account's owner sets a new password without knowing an old one."""
        user = self.get_object(request, str(pk))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        link = self.make_link(request, user) if request.method == "POST" else ""
        return self.link_page(request, user, link=link)

    def response_add(self, request, obj, post_url_continue=None):
        """Show whoever made an account its one-time link, which leads on to another account."""
        return self.link_page(request, obj, link=self.make_link(request, obj), is_new=True)

    def make_link(self, request, user):
        """A link by which the owner of the account sets a password; that it was made is logged."""
        key = urlsafe_base64_encode(force_bytes(user.pk))
        address = reverse("one_time_link", args=[key, default_token_generator.make_token(user)])
        self.log_change(request, user, "Made a one-time link to set the password.")
        self.log_account("one-time link made", request, user)
        return request.build_absolute_uri(address)

    def link_page(self, request, user, *, link, is_new=False):
        context = {
            **self.admin_site.each_context(request),
            "title": f"One-time link for {user.get_full_name() or user}",
            "opts": self.opts,
            "account": user,
            "link": link,
            "is_new": is_new,
        }
        return TemplateResponse(request, "admin/auth/user/one_time_link.html", context)

    @admin.display(description="roles")
    def roles(self, user):
        names = sorted(group.name for group in user.groups.all())
        return ", ".join(([RUNS_THE_SITE] if user.is_superuser else []) + names)
