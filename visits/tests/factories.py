"""A few inspections, grades and findings with dull defaults, made the way the site makes them."""

from record.tests.factories import make_document, saved
from visits.models import Finding, Framework, Grade, Judgement, JudgementArea, Visit


def make_visit(slug="visit", kind="monitoring", **fields):
    """A Visit of 10 May 2022."""
    values = {"document": make_document(), "reference": "p1", "dates": "2022-05-10", **fields}
    with saved():
        return Visit.objects.create(slug=slug, kind=kind, **values)


def make_finding(ref="F01", **fields):
    """A concern of Ofsted's."""
    values = {"kind": "concern", "attribution": "ofsted", "text": "What was found", **fields}
    with saved():
        return Finding.objects.create(ref=ref, **{"document": make_document(), "reference": "p1", **values})


def make_framework(key="ilacs"):
    """The Framework called ILACS, with its grades; made if there is none of that key."""
    if found := Framework.objects.filter(key=key).first():
        return found
    names = ("Outstanding", "Good", "Requires improvement to be good", "Inadequate")
    with saved():
        framework = Framework.objects.create(key=key, name="ILACS")
        for order, name in enumerate(names, 1):
            short = name.removesuffix(" to be good").lower().replace(" ", "_")
            Grade.objects.create(framework=framework, key=short, name=name, order=order)
    return framework


def make_area(key="leaders", name="Leaders", order=1):
    """What the framework grades."""
    with saved():
        return JudgementArea.objects.create(key=key, framework=make_framework(), name=name, order=order)


def make_grade(key="good"):
    """The Grade of the framework that has that key."""
    return make_framework().grades.get(key=key)


def make_judgement(visit, grade="good", area=None, **fields):
    """The Judgement that a visit made of ``area``, or of leaders."""
    values = {"document": visit.document, "reference": "p1", **fields}
    area = area or make_area()
    grade = make_grade(grade)
    with saved():
        return Judgement.objects.create(visit=visit, area=area, grade=grade, **values)
