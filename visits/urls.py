"""The addresses of inspections and visits."""

from django.urls import path

from visits import views

urlpatterns = [
    path("visits/", views.visits, name="visits"),
    path("visits/<slug:slug>/", views.visit, name="visit"),
]
