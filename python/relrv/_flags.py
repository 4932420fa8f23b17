"""What to know about a velocity, a calibration or a pixel: one bit each.

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
        return "\n".join(lines)


class Flags(_Described):
    """Flags of a velocity: the columns ``flags``, ``flags_r`` and ``flags_b``."""

    #: The maximum lies at the edge of the velocity grid.
    EDGE = 1
    #: No maximum that a parabola fits; rv is NaN.
    NO_CURVATURE = 2
    #: A second maximum of the likelihood is at least half as high as the first.
    MULTIPLE_PEAKS = 4
    #: Fewer than half of the window's pixels are usable.
    FEW_PIXELS = 8
    #: Reduced chi^2 above 2.
    CHI2_HIGH = 16
    #: More than 35 % of the reference's expected squared slope is lost in its noise.
    LOW_INFORMATION = 32
    #: Stored wavelengths are no polynomial; used with their rounding.
    WAVE_AS_STORED = 64
    #: The star's only usable exposure in this arm, measured against itself.
    SINGLE_EXPOSURE = 128
    #: Too few stars in the exposure: not corrected.
    NO_ZERO_POINT = 256
    #: Far from the other velocities of its constant star.
    OUTLIER = 512
    #: The star's reference exposure in this arm.
    REFERENCE = 1024
    #: Not measured in this arm.
    NOT_MEASURED = 2048
    #: Two sets of lines, or another mixture of them than in the reference.
    DOUBLE_LINED = 4096
    #: Unlike the star's other exposures, or one of two that do not agree.
    NOT_AS_OTHERS = 8192
    #: No exposure time, or dates that contradict it or LMJM: hjd and bjd_tdb may be off.
    TIME_UNCERTAIN = 16384
    #: The header says that the wavelengths are the observer's or of air: moved to the Sun's frame and to vacuum.
    FRAME_MOVED = 32768
    #: HELIO_RV is not the Earth's velocity: the wavelengths may be in another frame.
    FRAME_DOUBTFUL = 65536
    #: Other spectra of the star show two sets of lines, which may lie on each other here.
    BLENDED = 131072
    #: The other arm of the exposure tells of another velocity.
    ARMS_DISAGREE = 262144
    #: Any of these: it says nothing about the star, and should be left out.
    NO_VELOCITY = (
        EDGE
        | NO_CURVATURE
        | MULTIPLE_PEAKS
        | DOUBLE_LINED
        | NOT_AS_OTHERS
        | FRAME_DOUBTFUL
        | BLENDED
    )


class CalibrationFlags(_Described):
    """Flags of a velocity in a calibration: the column ``flags`` of `calibrate`."""

    #: RV not finite.
    BAD_RV = 1
    #: Error not finite or not positive.
    BAD_ERR = 2
    #: Star or exposure without a name.
    NO_NAME = 4
    #: Same star and exposure as an earlier row.
    DUPLICATE = 8
    #: Too few stars in the exposure.
    NO_ZERO_POINT = 16
    #: Outlier of a constant star, less weight.
    OUTLIER = 32
    #: Only usable observation of the star.
    SINGLE = 64
    #: Flagged as no velocity of the star, not used.
    NO_VELOCITY = 128


class PixelFlags(_Described):
    """Why a pixel does not count: `Prepared.mask`."""

    #: Flux or inverse variance not finite.
    NOT_FINITE = 1
    #: Inverse variance not positive.
    NO_IVAR = 2
    #: Masked by the spectrum's own mask.
    GIVEN = 4
    #: At an end of the spectrum.
    EDGE = 8
    #: In a spike or dip narrower than the line-spread function.
    SPIKE = 16
    #: Continuum too low for any star's light.
    FAINT = 32
    #: Shows what none of the star's other exposures has.
    ALONE = 64
    #: Outside the window of wavelengths.
    OUTSIDE = 128
    #: Beyond the reference at the exposure's velocity.
    NO_REFERENCE = 256


_MEANINGS = {
    "Flags": {
        1: "the maximum lies at the edge of the velocity grid",
        2: "no maximum that a parabola fits; rv is NaN",
        4: "a second maximum of the likelihood is at least half as high as the first",
        8: "fewer than half of the window's pixels are usable",
        16: "reduced chi^2 above 2",
        32: "more than 35 % of the reference's expected squared slope is lost in its noise",
        64: "stored wavelengths are no polynomial; used with their rounding",
        128: "the star's only usable exposure in this arm, measured against itself",
        256: "too few stars in the exposure: not corrected",
        512: "far from the other velocities of its constant star",
        1024: "the star's reference exposure in this arm",
        2048: "not measured in this arm",
        4096: "two sets of lines, or another mixture of them than in the reference",
        8192: "unlike the star's other exposures, or one of two that do not agree",
        16384: "no exposure time, or dates that contradict it or LMJM: hjd and bjd_tdb may be off",
        32768: "the header says that the wavelengths are the observer's or of air: moved to the Sun's frame and to vacuum",
        65536: "HELIO_RV is not the Earth's velocity: the wavelengths may be in another frame",
        131072: "other spectra of the star show two sets of lines, which may lie on each other here",
        262144: "the other arm of the exposure tells of another velocity",
    },
    "CalibrationFlags": {
        1: "RV not finite",
        2: "error not finite or not positive",
        4: "star or exposure without a name",
        8: "same star and exposure as an earlier row",
        16: "too few stars in the exposure",
        32: "outlier of a constant star, less weight",
        64: "only usable observation of the star",
        128: "flagged as no velocity of the star, not used",
    },
    "PixelFlags": {
        1: "flux or inverse variance not finite",
        2: "inverse variance not positive",
        4: "masked by the spectrum's own mask",
        8: "at an end of the spectrum",
        16: "in a spike or dip narrower than the line-spread function",
        32: "continuum too low for any star's light",
        64: "shows what none of the star's other exposures has",
        128: "outside the window of wavelengths",
        256: "beyond the reference at the exposure's velocity",
    },
}
