"""The bare loop of bench/run_fanout.py: signed POSTs by aiohttp, and nothing else.

No queue, no retries, no guard, one key, one body: what one core can do at best in Python.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from base64 import b64encode
from email.utils import formatdate
from urllib.parse import urlsplit

import aiohttp
import uvloop
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

KEY = generate_private_key(public_exponent=65537, key_size=2048)
AT_ONCE = 64


async def send(session: aiohttp.ClientSession, inboxes: list[str], body: bytes) -> None:
    """Post the body to every inbox, `AT_ONCE` at a time."""
    waiting = iter(inboxes)

    async def worker() -> None:
        for inbox in waiting:
            parts = urlsplit(inbox)
            digest = "SHA-256=" + b64encode(hashlib.sha256(body).digest()).decode()
            date = formatdate(usegmt=True)
            base = (
                f"(request-target): post {parts.path}\nhost: {parts.netloc}\ndate: {date}\n"
                f"digest: {digest}"
            )
            signature = b64encode(KEY.sign(base.encode(), PKCS1v15(), SHA256())).decode()
            headers = {
                "Date": date,
                "Digest": digest,
                "Content-Type": "application/activity+json",
                "Signature": 'keyId="http://a.test/k",algorithm="rsa-sha256",'
                f'headers="(request-target) host date digest",signature="{signature}"',
            }
            async with session.post(inbox, data=body, headers=headers) as answer:
                await answer.read()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def main(stats: str) -> None:
    """One run for each line of standard input, told on standard output."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            given = json.loads(line)
            body = json.dumps({"type": "Create", "content": given["content"]}).encode()
            async with session.get(stats + "?reset") as answer:
                await answer.read()
            await send(session, given["inboxes"], body)
            async with session.get(stats) as answer:
                print(json.dumps({"queued": 0.0, **await answer.json()}), flush=True)


uvloop.run(main(sys.argv[1]))
