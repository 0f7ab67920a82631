"""app.bsky.actor.profile <-> Profile.

Spec: lexicon app.bsky.actor.profile (record key ``self``)
"""

from __future__ import annotations

from typing import Final

from pod.model.profile import Profile
from pod.records.lens.shape import (
    Record,
    blob_at,
    blob_data,
    labels_at,
    object_at,
    ref_at,
    ref_data,
    set_labels,
    set_or_drop,
    text_at,
)

COLLECTION: Final = "app.bsky.actor.profile"
TEXTS: Final = (
    ("name", "displayName"),
    ("description", "description"),
    ("website", "website"),
    ("pronouns", "pronouns"),
    ("created_at", "createdAt"),
)


def get(record: Record) -> Profile:
    """The profile that a record means; whatever does not fit is left out."""
    return Profile(
        name=text_at(record, "displayName"),
        description=text_at(record, "description"),
        website=text_at(record, "website"),
        pronouns=text_at(record, "pronouns"),
        avatar=blob_at(record, "avatar"),
        banner=blob_at(record, "banner"),
        pinned=ref_at(record, "pinnedPost"),
        labels=labels_at(record),
        created_at=text_at(record, "createdAt"),
    )


def put(profile: Profile, source: Record | None = None) -> Record:
    """The record that means ``profile``; of ``source`` only what differs is written anew."""
    record: Record = dict(source) if source is not None else {"$type": COLLECTION}
    before = get(record)
    for field, key in TEXTS:
        value = getattr(profile, field)
        if value != getattr(before, field):
            set_or_drop(record, key, value)
    for key, blob, old in (
        ("avatar", profile.avatar, before.avatar),
        ("banner", profile.banner, before.banner),
    ):
        if blob != old:
            set_or_drop(record, key, blob_data(blob) if blob else None)
    if profile.pinned != before.pinned:
        kept = object_at(record, "pinnedPost")
        set_or_drop(
            record, "pinnedPost", ref_data(profile.pinned, kept) if profile.pinned else None
        )
    if profile.labels != before.labels:
        set_labels(record, profile.labels)
    return record
