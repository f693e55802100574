"""Keep a small database of this release, once, as it is made: `python -m bcp_board.tests.keep_release`.

It writes bcp_board/tests/releases/VERSION: a backup of the record with what people did to it, and the digests
of the migrations that made its tables. Each later version is tried on every release that is kept.
"""

import gzip
import hashlib
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASES = Path(__file__).parent / "releases"
BACKUP, MIGRATIONS = "record.backup.gz", "migrations.sha256"

# What people said; the dates of November 2026 say when.
OFFICER = {"first_name": "Olive", "last_name": "Officer"}
SECRETARIAT = {"first_name": "Sam", "last_name": "Secretary"}
REPORTED = "The first finance report went to the board: “on time”, £0 over.\nNothing more is known of §4 yet…"
WRONG, RIGHT = "Twelve social workers have started.", "Two social workers have started, not twelve."
WHY_WRONG = "The figure was of another team."
WHY_LATER = "The supplier needs until the summer."
WHY_AGREED = "The board has seen the contract."
HELD_ON = "2026-11-24"
ASKED = "Agree the new date of A05"


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests_of_migrations():
    """The lines by which `sha256sum --check`, in the checkout, finds whether a migration was changed."""
    return [
        f"{digest_of(path)}  {path.relative_to(ROOT)}" for path in sorted(ROOT.glob("*/migrations/0*.py"))
    ]


def play():
    """Load the record; an officer reports, corrects and proposes; a paper is published; a date is agreed."""
    from bcp_board.management.commands.seed import load_all
    from meetings.publishing import freeze
    from recommendations.models import Action
    from recommendations.tests.factories import make_decision, make_due_date, make_owner, make_update
    from record import ledger
    from record.signing import signature
    from record.tests.factories import make_meeting, make_user, noon

    load_all(ROOT / "seeds", at=noon("2026-11-02"))
    officer = make_user("Officers", "olive", **OFFICER)
    secretary = make_user("Secretariat", "sam", **SECRETARIAT)
    finance, workforce = Action.objects.get(ref="A05"), Action.objects.get(ref="A07")
    for action in (finance, workforce):
        make_owner(action, officer, dated="2026-11-03", by=secretary, recorded_at=noon("2026-11-03"))
    make_update(finance, dated="2026-11-04", by=officer, narrative=REPORTED, recorded_at=noon("2026-11-04"))
    wrong = make_update(
        workforce, dated="2026-11-05", by=officer, narrative=WRONG, recorded_at=noon("2026-11-05")
    )
    make_update(
        workforce,
        dated="2026-11-05",
        by=officer,
        narrative=RIGHT,
        corrects=wrong,
        correction_reason=WHY_WRONG,
        recorded_at=noon("2026-11-06"),
    )
    later = make_due_date(
        finance,
        "2027-06",
        dated="2026-11-10",
        by=officer,
        reason=WHY_LATER,
        needs_decision=True,
        recorded_at=noon("2026-11-10"),
    )
    meeting = make_meeting(HELD_ON, asks=[ASKED])
    freeze(meeting, None, by=secretary, signed=signature(secretary), now=noon("2026-11-17"), reason="")
    make_decision(later, dated=HELD_ON, by=secretary, reason=WHY_AGREED, recorded_at=noon("2026-11-25"))
    assert ledger.anchor().count > 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "board.sqlite3"
        os.environ |= {"DATABASE_URL": f"sqlite:///{database}", "DEBUG": "1", "HTTPS": "0"}
        os.environ |= {"SECRET_KEY": "a-key-for-a-kept-release-only-" * 2}
        os.environ["DJANGO_SETTINGS_MODULE"] = "bcp_board.settings"
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from bcp_board import backups

        kept = RELEASES / settings.VERSION
        if kept.exists():
            sys.exit(f"{kept} is kept already. A release is kept once; a new one has a new version.")
        call_command("migrate", verbosity=0)
        play()
        backup = backups.save(Path(folder) / "backup", unencrypted=True)
        kept.mkdir(parents=True)
        (kept / BACKUP).write_bytes(gzip.compress(backup.path.read_bytes(), mtime=0))
        (kept / MIGRATIONS).write_text("\n".join(digests_of_migrations()) + "\n")
        print(f"Kept {backup.anchor.count} entries in {kept.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
