"""What drivers say of a sending that did not go out, and what a step says that must not send now."""

from __future__ import annotations

from datetime import timedelta


class DeliveryFailed(Exception):
    """A driver knows that nothing went out; `permanent` when trying again is of no use. The message is for the user.

    `reason`: a code of the list `message_failure`, where the driver can tell. `is_for_one`: only this one was put off
    (a full mailbox, a limit of the moment), the others may go on.
    """

    def __init__(self, message: str, *, permanent: bool, reason: str = "", is_for_one: bool = False) -> None:
        super().__init__(message)
        self.permanent, self.reason, self.is_for_one = permanent, reason, is_for_one


class ChannelShut(Exception):
    """A way out lets nothing through until somebody mends its settings; nothing went out. The message says what."""


class NotNow(Exception):
    """A step that may not go on before some time has passed: it rests, and no attempt is counted (quiet hours)."""

    def __init__(self, message: str, *, pause: timedelta) -> None:
        super().__init__(message)
        self.pause = pause
