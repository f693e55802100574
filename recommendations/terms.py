"""What the pages and their parts are called, the same on a screen, on paper, in the admin and in the help."""

from recommendations.status import NOT_REPORTED, STATUS_WORDS

# In the order of the navigation: {name of an address: what its page is called}.
PAGES = {
    "home": "Where we stand",
    "actions": "Actions",
    "visits": "Inspections and visits",
    "trends": "Trends",
    "meetings": "Meetings",
    "status": "Status page",
    "help": "Help",
}

# {what something is called in the program: the only words that readers have for it}. A template says them by
# the tag `term`. Statuses and flags have theirs in status.py.
TERMS = {
    **PAGES,
    "status_paper": "Status paper",
    "proof": "Proof",
    "work": "Your work",
    "tasks": "How to do it",
    "mine": "Your actions",
    "round": "The round",
    "assign": "Owners and dates",
    "decide": "Meeting-day sheet",
    "import": "Import from a spreadsheet",
    "new": "New to you",
    # Of the board
    "exceptions": "Look at these first",
    "never_reported": STATUS_WORDS[NOT_REPORTED],
    "decisions": "Decisions wanted",
    "dates_asked": "Dates asked for",
    "completions": "Completions to accept",
    "rechecks": "Re-checks due",
    "late": "Late, with no new date asked for",
    "refused_before": "Asked for before",
    "awaiting": "Sent back, and waiting for the owner’s evidence",
    "differing": "Where views differ",
    "stale": "No recent update",
    "unreported": "Since the last meeting",
    "difference": "Difference made for children",
    "months": "Month by month",
    "claims": "Done, complete and embedded",
    "slippage": "Dates that have moved",
    "track_record": "What became of earlier dates",
    "answering": "Actions answering recommendations led by",
    "answering_findings": "Actions answering findings only, with no lead body",
    "measures": "Measures",
    "caveat": "What it does not show",
    "found": "What inspectors found",
    "voices": "What the adviser and peers said",
    # Of an action or a recommendation
    "owner_role": "Owner role",
    "updated": "Last update",
    "next_due": "Next due",
    "perhaps_past": "May have passed",
    "worst": "Worst action",
    "no_action": "No action recorded",
    "misses": "Deadlines missed",
    "proposed": "Proposed, not yet decided",
    "proposed_ended": "Proposed, and ended without a decision",
    # Of a meeting
    "asked": "What the board is asked to do",
    "decided": "Decided at this meeting",
    "arising": "Actions arising",
    "accepted_again": "Accepted again",
    "moved": "Due dates set or moved",
    "refused": "Proposed dates refused",
    "sent_back": "Sent back for evidence",
    "assessed": "New assessments",
    "gone": "Withdrawn, or taken off by a correction",
    "corrections": "Corrected or withdrawn",
    "repeated": "Updated with the same words as before, or “no change”",
    "received": "Reports received",
    "not_reported": "Open, and not reported on since",
    "unchanged": "Open, with the same status and date as before",
}
