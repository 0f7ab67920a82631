"""What an administrator does about other servers, from the command line and in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.kit.browser import look
from tests.kit.process import ROOT, Server, running

SECRET = {"COMMONPOD_ADMIN_PASSWORD": "swordfish"}
MASTODON = """#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
bad.example,suspend,false,false,"spam, mostly",true
loud.example,silence,true,false,,false
"""


def run(server: Server, *words: str, secret: str = "swordfish") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "COMMONPOD_ADMIN_PASSWORD": secret,
        "COMMONPOD_PORT": str(server.port),
    }
    command = [sys.executable, "-m", "server", "federation", *words, "--dev"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_an_operator_keeps_rules_for_other_servers(tmp_path: Path) -> None:
    with running(tmp_path / "data", environment=SECRET) as server:
        done = run(server, "block", "Evil.Example", "--private-comment", "told by a friend")
        assert (done.returncode, done.stdout) == (0, "The rule for Evil.Example holds.\n")
        file = tmp_path / "blocks.csv"
        file.write_text(MASTODON)
        assert run(server, "import", str(file)).stdout == "2 rules were taken in.\n"
        rules = json.loads(run(server, "list", "--json").stdout)
        assert [(rule["domain"], rule["severity"]) for rule in rules] == [
            ("bad.example", "suspend"),
            ("evil.example", "suspend"),
            ("loud.example", "silence"),
        ]
        assert run(server, "drop", "evil.example").returncode == 0
        assert run(server, "export").stdout == MASTODON
        assert run(server, "allow", "good.example").returncode == 0
        assert run(server, "export", "--allowed").stdout == "#domain\ngood.example\n"
        refused = run(server, "block", "no domain")
        assert (refused.returncode, "no domain is not a domain" in refused.stderr) == (1, True)
        wrong = run(server, "list", secret="haddock")
        assert (wrong.returncode, "does not take" in wrong.stderr) == (1, True)
        assert json.loads(run(server, "reports", "--json").stdout) == []

        page, url = f"{server.url}/admin/federation", {"auth": ("admin", "swordfish")}
        assert httpx.get(page).status_code == 401
        assert "bad.example" in httpx.get(page, **url).text
        form = {"do": "drop", "domain": "bad.example"}
        elsewhere = {"Origin": "https://evil.example"}
        assert httpx.post(page, data=form, headers=elsewhere, **url).status_code == 403
        again = httpx.post(page, data=form, **url)
        assert (again.status_code, "bad.example any more" in again.text) == (200, True)
        assert httpx.post(page, data=form, **url).status_code == 400
        seen = look(
            f"http://admin:swordfish@localhost:{server.port}/admin/federation",
            "federation-rules",
            height=1500,
        )
        assert seen.complaints == []
