"""The abbreviations and words of the trade that readers of the board meet, and what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word or abbreviation. ``expansion`` is what it is short for, "" for a word that is not short."""

    short: str
    expansion: str
    meaning: str

    @property
    def anchor(self):
        """Its identifier in the glossary of the help page."""
        return self.short.lower().replace(" ", "-")


GLOSSARY = (
    Term("Agency staff", "", "Workers supplied by an agency and not employed by the council."),
    Term("BCP", "Bournemouth, Christchurch and Poole", "The council, created in April 2019."),
    Term(
        "BRAG",
        "blue, red, amber, green",
        "A way of rating progress by colour. This record uses words instead, because colours do not print.",
    ),
    Term(
        "Care leaver",
        "",
        "A young person who has left care. Ofsted uses this word in the names of its judgements; the council "
        "says care-experienced young person. Each is kept in its place.",
    ),
    Term(
        "DCS", "director of children’s services", "The senior officer every council must have for children."
    ),
    Term("DfE", "Department for Education", "The government department that ordered the intervention."),
    Term(
        "ERP",
        "Enterprise Resource Platform",
        "One computer system for a council’s money, staff and purchasing.",
    ),
    Term(
        "Focused visit", "", "A short visit by Ofsted to look at one part of the service. It gives no grade."
    ),
    Term(
        "Full inspection",
        "",
        "Ofsted’s inspection of the whole service. Each area is graded, from Outstanding to Inadequate.",
    ),
    Term("HMI", "His Majesty’s Inspector", "An Ofsted inspector."),
    Term("ICB", "integrated care board", "The NHS body that plans health services for an area."),
    Term("ICS", "integrated care system", "The NHS bodies and councils that plan care for an area together."),
    Term(
        "ILACS",
        "Inspecting Local Authority Children’s Services",
        "The framework by which Ofsted inspects councils’ services for children, from January 2018.",
    ),
    Term(
        "IRO", "independent reviewing officer", "Checks that the plan for a child in care is right and kept."
    ),
    Term("LGA", "Local Government Association", "The national body for councils."),
    Term("LGR", "local government reorganisation", "The change of April 2019 that created BCP Council."),
    Term("LSCB", "local safeguarding children board", "What safeguarding partnerships replaced."),
    Term(
        "MASH",
        "multi-agency safeguarding hub",
        "The front door: where concerns about a child arrive, and partners decide together what to do.",
    ),
    Term("Monitoring visit", "", "Ofsted’s check on a council judged Inadequate. It gives no grade."),
    Term("MTFP", "medium-term financial plan", "The council’s budget for the years ahead."),
    Term("NHS", "National Health Service", "Runs health services, and is one of the safeguarding partners."),
    Term(
        "Ofsted", "", "The Office for Standards in Education, Children’s Services and Skills, which inspects."
    ),
    Term("PA", "personal adviser", "Supports a young person who has left, or is leaving, care."),
    Term("Practice model", "", "One agreed way of doing social work, used by everyone."),
    Term("QA", "quality assurance", "Checking how good the work is, for instance by auditing cases."),
    Term("RAG", "red, amber, green", "See BRAG."),
    Term("s114", "section 114 notice", "A declaration that a council is in effect insolvent."),
    Term("s151", "section 151", "The section 151 officer answers by law for a council’s money."),
    Term("SLIP", "sector-led improvement partner", "A strong council that helps another: here, Hampshire."),
    Term(
        "Statutory Direction",
        "",
        "A formal order by the Secretary of State that says what a council must do to improve.",
    ),
    Term(
        "Trust",
        "",
        "A separate body that runs children’s services in the council’s place. See recommendations 1 and 6.",
    ),
)
ABBREVIATIONS = {term.short: term for term in GLOSSARY if term.expansion}
# Known to every reader, or the name that the council goes by: in the glossary, never spelled out in passing.
WELL_KNOWN = {"BCP", "NHS", "PA"}
