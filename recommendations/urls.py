"""The addresses of recommendations and actions."""

from django.urls import path

from recommendations import assign, import_views, mine, views

urlpatterns = [
    path("recommendations/<int:number>/", views.recommendation, name="recommendation"),
    path("trends/record/", views.track_record, name="track_record"),
    path("mine/", mine.mine, name="mine"),
    path("assign/", assign.assign, name="assign"),
    path("actions/", views.actions, name="actions"),
    path("import/", import_views.bring_in, name="import"),
    path("actions/<slug:ref>/", views.action, name="action"),
]
