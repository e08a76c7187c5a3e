"""The national numbering plan as libphonenumber's metadata has it."""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import PhoneMetadata


@cache
def national_pattern(part: str) -> re.Pattern[str]:
    """The pattern of China's national numbers of one part of the plan: `mobile` or `fixed_line`."""
    numbers = getattr(PhoneMetadata.metadata_for_region("CN"), part)
    return re.compile(numbers.national_number_pattern)
