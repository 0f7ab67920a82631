"""Everything that can go wrong, named once; the core never knows a status code.

Each wing maps these leaves to its wire in its own ``errors.py``. ``name`` is the protocol's own
error name where one exists (for example ``InvalidSwap`` or ``BlobNotFound``) and travels with the
error; ``safe_text`` may be shown to the caller, the chained cause may not.
"""

from __future__ import annotations

from typing import Final


class PodError(Exception):
    """Something went wrong in the pod."""

    def __init__(self, safe_text: str | None = None, *, name: str | None = None) -> None:
        doc = type(self).__doc__ or ""
        self.safe_text = safe_text if safe_text is not None else doc.strip().splitlines()[0]
        self.name = name
        super().__init__(self.safe_text)


class Unauthenticated(PodError):
    """Authentication is required."""


class Forbidden(PodError):
    """You are not allowed to do this."""


class NotFound(PodError):
    """There is nothing here."""


class Gone(PodError):
    """This was deleted."""


class Conflict(PodError):
    """The request conflicts with what is there."""


class StaleVersion(PodError):
    """The resource has changed since you read it."""


class Invalid(PodError):
    """The request is not valid."""


class Unprocessable(PodError):
    """The content is well formed but cannot be accepted."""


class Unsupported(PodError):
    """This media type or method is not supported here."""


class TooLarge(PodError):
    """The request is too large."""


class Throttled(PodError):
    """Too many requests; try again later."""

    def __init__(
        self, safe_text: str | None = None, *, name: str | None = None, retry_after_s: int = 60
    ) -> None:
        super().__init__(safe_text, name=name)
        self.retry_after_s = retry_after_s


class Overloaded(PodError):
    """This takes more than the pod has to give now; ask for less, or later."""

    retry_after_s: Final = 30


class PeerUnavailable(PodError):
    """Another server did not answer as it should."""


class QuotaExceeded(PodError):
    """The storage quota is used up."""
