"""The addresses of the board's position, its meetings and its papers."""

import datetime

from django.urls import path, register_converter

from meetings import deciding_views, views


class DayConverter:
    """A day in an address, written 2022-11-22; anything that is no day is no such page."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value):
        return datetime.date.fromisoformat(value)

    def to_url(self, value):
        return value.isoformat()


register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.home, name="home"),
    path("trends/", views.trends, name="trends"),
    path("status/", views.status, name="status"),
    path("meetings/", views.meetings, name="meetings"),
    path("meetings/<day:date>/", views.meeting, name="meeting"),
    path("meetings/<day:date>/decide/", deciding_views.decide, name="decide"),
    path("meetings/<day:date>/paper/", views.paper, name="paper"),
    path("proof/", views.proof, name="proof"),
]
