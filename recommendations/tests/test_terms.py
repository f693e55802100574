"""That every part of the board is called by one name."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from recommendations.terms import TERMS

# What some parts were called besides, on one page or another.
OTHER_WORDS = (
    "Exceptions",
    "Pre-meeting status page",
    "Due dates missed",
    "Dates that moved",
    "Never reported on",
    "The same words as last time",
    "Corrections and withdrawals",
    "Last reported",
    "Role that answers for it",
    "Proposed, waiting for the board",
    "Worst of its actions",
    "Worst status of its actions",
    "What is asked of the board",
    "What the board is asked to decide",
    "Where owners’ reports, assessments",
    "What it changed for children",
    "Who has reported",
    "Who has not",
    "Take care",
    "Fingerprint",
    "Reported by the adviser and peers",
)
TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))


@pytest.mark.once
def test_no_page_or_paper_has_other_words_for_what_has_a_term_nor_says_a_term_by_itself():
    said, by_itself, asked = [], [], set()
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"{% term '(\w+)' %}", text))
        said += [(path.name, words) for words in OTHER_WORDS if f">{words}" in text]
        by_itself += [
            (path.name, words) for words in TERMS.values() if re.search(f">{words}(<| \\(|: {{)", text)
        ]

    assert said == []
    assert by_itself == []
    assert asked - TERMS.keys() == set()
    assert len(set(TERMS.values())) == len(TERMS)
