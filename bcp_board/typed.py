"""What somebody typed into a form that was not taken, so that the page that says so gives it back to them."""

import re
from copy import copy, deepcopy
from functools import cache, partial

from django.contrib.auth.models import AnonymousUser, User
from django.urls import Resolver404, resolve
from django.utils.text import capfirst

from recommendations.forms import offer_who_can_record
from recommendations.ownership import Ownership
from record.forms import KEY, RecordForm, opener_of

# What a form sends beside what its sender typed, and whatever may be a secret.
NOT_TYPED = re.compile(
    r"_.*|csrfmiddlewaretoken|(.*-)?(opened_on|opened_by|told_of)|seen_.*|initial-.*"
    r"|.*-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS|.*-id|.*password.*|next|corrects|withdraws|replaces"
    r"|key_of_.*|up_to"
)

# What is called otherwise on its page than in the program, and is no column of the form's model.
LABELS = {"change_reason": RecordForm.declared_fields["change_reason"].label, "person": "To be reminded"}
UNTOLD = "Chosen from a list that cannot be shown here"


def is_from_here(request):
    """Whether a page of the site sent the form: another's words are not shown as if they were ours."""
    # Django notes so that the form's token was right. An address at which nothing is asks for none.
    is_checked = getattr(request, "csrf_processing_done", False)
    return is_checked or request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def typed_in(request, *, tells_choices=True):
    """[(label, text)] of all that somebody wrote or chose in a form, but secrets and what no one typed.

    What was chosen among rows of the record is told by its words, which takes the database: not so where
    ``tells_choices`` is false, nor to anybody whom the form would not have shown them.
    """
    if request.path_info.startswith(("/login/", "/logout/", "/password/", "/account/")):
        return []
    view = _view_at(request.path_info)
    tells = getattr(view, "tells", None)
    if tells and (told := tells(request.POST)):
        return told
    fields, beside, is_of_many = _fields_of(view)
    list_of = cache(partial(_list_of, view, request))
    found = []
    for name, values in request.POST.lists():
        text, (prefix, _, column) = "\n".join(values), name.rpartition("-")
        # What stood in its box already, and was left there, nobody typed.
        if NOT_TYPED.fullmatch(name) or not text.strip() or request.POST.get(f"initial-{name}") == text:
            continue
        field = (beside if prefix else fields).get(column)
        words = dict(getattr(field, "flatchoices", ())).get(text, text)
        if field and field.is_relation and not is_of_many:
            words = _chosen(list_of(field), values) if tells_choices else UNTOLD
        label = capfirst(field.verbose_name) if field else LABELS.get(column) or _as_words(column)
        label = f"{prefix}: {label}" if is_of_many and prefix else label
        # The site itself sends along what a form is about, so that it can be told here.
        found.append(("What it is about" if column == "about" else label, str(words)))
    return found


def _as_words(column):
    return column.replace("_", " ").capitalize()


def _view_at(path):
    try:
        return resolve(path).func
    except Resolver404:
        return None


def _fields_of(view):
    """{name: field} of the form of ``view``; the same of rows beside it; whether it is about many things."""
    if models := getattr(view, "writes", ()):
        fields = _by_name(models)
        return fields, fields, True
    admin, form = getattr(view, "model_admin", None), getattr(view, "adds", None)
    if admin is None:
        # An owner is of an action, and said in a row beside it.
        return _by_name([Ownership, form._meta.model] if form else []), {}, False
    return _by_name([admin.model]), _by_name([inline.model for inline in admin.inlines]), False


def _by_name(models):
    return {field.name: field for m in models for field in m._meta.get_fields() if not field.auto_created}


def _reader(request):
    """Who sent the form: whoever is signed in, or else opened it, if they could still sign in."""
    user = getattr(request, "user", AnonymousUser())
    if user.is_authenticated:
        return user
    opener = opener_of(request.POST.get("opened_by", ""))
    return User.objects.filter(pk=opener, is_active=True).first() or AnonymousUser()


def _list_of(view, request, field):
    """The box that the form of ``view`` has for its sender to choose ``field`` in, or None."""
    reader, admin = _reader(request), getattr(view, "model_admin", None)
    if admin:
        box = _box_in_admin(admin, request, reader, field)
    else:
        box = deepcopy(view.adds.base_fields.get(field.name)) if view.may(reader) else None
    if box and field.related_model is User:
        offer_who_can_record(box)
    return box


def _box_in_admin(admin, request, reader, field):
    asked = copy(request)
    asked.user = reader
    may = admin.admin_site.has_permission(asked) and (
        admin.has_add_permission(asked) or admin.has_change_permission(asked)
    )
    is_on_form = field.name in (admin.form._meta.fields or [field.name])
    return admin.formfield_for_dbfield(field, asked) if may and is_on_form else None


def _chosen(box, keys):
    """What the list of ``box`` calls the rows ``keys``."""
    if box is None:
        return UNTOLD
    rows = box.queryset.filter(pk__in=[key for key in keys if KEY.fullmatch(key)])
    return "\n".join(box.label_from_instance(row) for row in rows) or UNTOLD
