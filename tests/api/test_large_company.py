"""The trail of a company with many people is whole: nobody is left out of it."""

from __future__ import annotations

import json
from pathlib import Path

from api_kit import office
from archive_kit import bring_in, settings_in
from holdfast.wiring.founding import create_archive
from slack_kit import write_files

PEOPLE = 620
DOMAIN = "bigco-of-tests.com"
T0 = 1_700_000_000


def test_trail_of_a_company_leaves_out_none_of_its_people(tmp_path: Path) -> None:
    users = [
        {"id": f"U{n:04}", "team_id": "T1", "name": f"u{n}", "is_stranger": True,
         "profile": {"real_name": f"Person {n}", "email": f"p{n}@{DOMAIN}"}}
        for n in range(PEOPLE)
    ]  # fmt: skip
    day = [
        {"type": "message", "ts": f"{T0 + n}.000100", "user": f"U{n:04}", "text": f"words of {n}"}
        for n in range(PEOPLE)
    ]
    files = {
        "users.json": users, "general/2023-11-14.json": day,
        "channels.json": [{"id": "C1", "name": "general", "members": []}],
    }  # fmt: skip
    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(settings)
    export = {name: json.dumps(value).encode() for name, value in files.items()}
    bring_in(settings, write_files(tmp_path / "e", export))
    with office(settings) as opened:
        opened.hire("legal", "legal")
        path, cursor, said = f"/companies/{DOMAIN}/timeline?limit=200", "", []
        while True:
            page = opened.get("legal", f"{path}&cursor={cursor}" if cursor else path)
            said += [one["snippet"] for one in page["entries"]]
            cursor = page["next"]
            if not cursor:
                break
        person = opened.contact(f"p5@{DOMAIN}")
        rolled = opened.get("legal", f"/contacts/{person}/timeline?rollup=company")
    assert page["total"] == rolled["total"] == PEOPLE
    assert sorted(said) == sorted(f"words of {n}" for n in range(PEOPLE))
