"""Signing in, and filling in the admin's forms as a browser would: what the page held, typed over."""

import datetime

from django.forms import BaseForm


def sign_in(client, user):
    """``client``, in which ``user`` has signed in."""
    client.force_login(user)
    return client


def shown(value, field):
    """A form value as the page holds it."""
    if isinstance(value, list):
        return [getattr(item, "pk", item) for item in value]
    if isinstance(value, datetime.date):
        return f"{value:%d/%m/%Y}"
    if value is None or value is False:
        return ""
    return value


def fields_of(form: BaseForm):
    """What a browser would send for ``form`` if nothing were typed."""
    data = {field.html_name: shown(field.value(), field) for field in form}
    if "change_reason" in form.fields and not data[reason := form.add_prefix("change_reason")]:
        data[reason] = "It was wrong"
    return {name: value for name, value in data.items() if value != "" and value != []}


def open_form(client, address):
    """What the form at ``address`` holds when it is opened, inline rows included."""
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return held(response)


def held(response):
    """What the form on the page of ``response`` holds, inline rows included."""
    data = fields_of(response.context["adminform"].form)
    for inline in response.context["inline_admin_formsets"]:
        data |= fields_of(inline.formset.management_form)
        for form in inline.formset.forms:
            data |= fields_of(form)
    return data


def fill_in(client, address, **typed):
    """Open the form at ``address``, type over it and save; return the response."""
    return client.post(address, {**open_form(client, address), **typed})


def errors_of(response):
    """The errors that the page shows, by field; "" for those of the whole form."""
    form = response.context["adminform"].form
    return {name if name != "__all__" else "": list(errors) for name, errors in form.errors.items()}
