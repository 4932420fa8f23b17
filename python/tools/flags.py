"""Write `relrv/_flags.py` from the constants of the library: ``python tools/flags.py``. A test compares it with them."""

import textwrap
from pathlib import Path

from relrv import _core

HEAD = '''"""What to know about a velocity, a calibration or a pixel: one bit each.

Made by ``tools/flags.py`` from the constants of the library.
"""

import enum


class _Described(enum.IntFlag):
    """Flags that can tell what they mean."""

    @property
    def meaning(self) -> str:
        """What each of them means, a line each."""
        told = _MEANINGS[type(self).__name__]
        lines = [f"{flag.name}: {told[flag.value]}" for flag in type(self) if flag in self and flag.value in told]
        return "\\n".join(lines)
'''


def members(flags: list[tuple[int, str, str]]) -> str:
    """The members of a class."""
    lines = []
    for value, name, meaning in flags:
        lines.append(f"    {name.upper()} = {value}\n    #: {meaning[0].upper()}{meaning[1:]}.")
    return "\n".join(f"{line.splitlines()[1]}\n{line.splitlines()[0]}" for line in lines)


def text() -> str:
    """The module."""
    flags = _core.flags()
    velocity, none = flags["velocity"], flags["no_velocity"]
    union = "\n        | ".join(name.upper() for value, name, _ in velocity if value & none)
    parts = [
        HEAD,
        'class Flags(_Described):\n    """Flags of a velocity: the columns ``flags``, ``flags_r`` and ``flags_b``."""\n\n'
        + members(velocity)
        + "\n    #: Any of these: it says nothing about the star, and should be left out.\n    NO_VELOCITY = (\n        "
        + union
        + "\n    )\n",
        'class CalibrationFlags(_Described):\n    """Flags of a velocity in a calibration: the column ``flags`` of `calibrate`."""\n\n'
        + members(flags["calibration"])
        + "\n",
        'class PixelFlags(_Described):\n    """Why a pixel does not count: `Prepared.mask`."""\n\n' + members(flags["pixel"]) + "\n",
    ]
    meanings = {"Flags": "velocity", "CalibrationFlags": "calibration", "PixelFlags": "pixel"}
    table = "_MEANINGS = {\n"
    for name, key in meanings.items():
        table += f'    "{name}": {{\n'
        table += textwrap.indent("".join(f'{value}: "{meaning}",\n' for value, _, meaning in flags[key]), " " * 8)
        table += "    },\n"
    return "\n\n".join(parts) + "\n\n" + table + "}\n"


if __name__ == "__main__":
    (Path(__file__).parents[1] / "relrv" / "_flags.py").write_text(text(), encoding="utf-8")
