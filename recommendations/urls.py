"""The addresses of recommendations and actions."""

from django.urls import path

from recommendations import views

urlpatterns = [
    path("recommendations/<int:number>/", views.recommendation, name="recommendation"),
    path("actions/", views.actions, name="actions"),
    path("actions/<slug:ref>/", views.action, name="action"),
]
