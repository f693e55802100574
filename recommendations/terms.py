"""What the pages of the board are called, the same on a screen, on paper, in the admin and in the help."""

# In the order of the navigation: {name of an address: what its page is called}.
PAGES = {
    "home": "Where we stand",
    "actions": "Actions",
    "visits": "Inspections and visits",
    "meetings": "Meetings",
    "status": "Status page",
    "help": "Help",
}
