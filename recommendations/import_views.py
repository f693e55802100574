"""The page on which the Secretariat brings in actions, owners and dates from a spreadsheet."""

from dataclasses import astuple

from django import forms
from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from recommendations import importing
from recommendations.deciding import may_add_actions
from record import ledger
from record.as_at import AsAt
from record.since import told_since
from record.spreadsheets import MOST_ROWS, Row, Unreadable
from record.work import dress, for_those_who

# As long as a session may last.
OPEN_SECONDS = 12 * 60 * 60
# What is sent again must fit into a form: see DATA_UPLOAD_MAX_MEMORY_SIZE.
MOST_CARRIED = 900_000
NOT_WHOLE = "This form was not sent whole, or is older than a day. Choose the file again."
TOO_MUCH = "From here on there is too much text in the file. Import it in parts."


class FileForm(forms.Form):
    file = forms.FileField(
        label="Spreadsheet",
        help_text=f"An Excel workbook (.xlsx) or a CSV file of 1 MB or less, with at most {MOST_ROWS} rows.",
        error_messages={
            "required": "Choose a file.",
            "missing": "Choose a file.",
            "empty": "The file is empty.",
            "invalid": "Choose a file.",
        },
        allow_empty_file=True,
    )

    def clean_file(self):
        try:
            self.table = importing.read_file(self.cleaned_data["file"].read())
        except Unreadable as error:
            raise forms.ValidationError(str(error)) from None
        if not self.table.rows:
            raise forms.ValidationError("There is no row below the headings.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who(may_add_actions)
def bring_in(request):
    """Check a file row by row, and add what it says once that was read and confirmed."""
    at = AsAt.now(request.as_at.today)
    context = {"at": at, "columns": importing.COLUMNS, "most_added": importing.MOST_ADDED}
    if request.method != "POST":
        return _shown(request, {**context, "form": dress(FileForm())})
    if "seen_rows" in request.POST:
        return _confirmed(request, at, context)
    form = dress(FileForm(request.POST, request.FILES))
    if not form.is_valid():
        return _shown(request, {**context, "form": form})
    return _checked(request, at, {**context, "table": form.table}, form.table.rows)


def _shown(request, context):
    return render(request, "recommendations/import.html", context)


def _checked(request, at, context, rows):
    """The page that says what each of ``rows`` would do, with the way to confirm it if nothing is wrong."""
    outcomes = importing.check(rows, by=request.user, at=at)
    if not outcomes.faults and outcomes.in_words:
        context["carried"] = carried = _sealed(request.user, rows, outcomes)
        if len(carried) > MOST_CARRIED:
            outcomes.rows[0].faults.append(importing.Fault(rows[0].number, "", "", TOO_MUCH))
    return _shown(request, {**context, "outcomes": outcomes, "form": dress(FileForm())})


def _sealed(user, rows, outcomes):
    """What the page sends back to confirm: the rows, what they would do, and how long the record was."""
    said = {"rows": [astuple(row)[:2] for row in rows], "would": outcomes.digest, "at": ledger.anchor().count}
    return signing.dumps(said, salt=f"import {user.pk}", compress=True)


def _confirmed(request, at, context):
    """Add what the rows say, if that is still what was read; else show what they would do now."""
    try:
        said = signing.loads(
            request.POST["seen_rows"], salt=f"import {request.user.pk}", max_age=OPEN_SECONDS
        )
    except signing.BadSignature:
        form = dress(FileForm({}))
        form.errors["file"] = form.error_class([NOT_WHOLE])
        return _shown(request, {**context, "form": form})
    rows = tuple(Row(number, cells) for number, cells in said["rows"])
    with transaction.atomic():
        outcomes = importing.bring_in(rows, by=request.user, at=at)
        is_as_read = outcomes.digest == said["would"] and not outcomes.faults
        if not is_as_read:
            transaction.set_rollback(True)
    if is_as_read:
        messages.success(request, f"Imported: {outcomes.in_words}.")
        return HttpResponseRedirect(reverse("actions"))
    return _checked(request, at, {**context, "moved_on": told_since(said["at"]), "again": True}, rows)
